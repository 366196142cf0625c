"""Express: parcels on their way, kuaidi100 that watches them and tells, SF that answers."""
