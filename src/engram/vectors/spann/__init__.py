"""Lists of neighbours on disk, their heads in memory: the method of SPANN, and of SPFresh."""
