"""Where the lungs are: the network of the ``lungs`` model, which the members' graphs hold, too."""
