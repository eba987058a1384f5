import simplepi
