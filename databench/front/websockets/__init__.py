"""Websockets: how they are read, written, looked after and closed; the pages behind them."""
