import databench


class Own(databench.Analysis):
    pass
