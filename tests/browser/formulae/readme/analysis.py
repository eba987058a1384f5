import databench


class Readme(databench.Analysis):
    pass
