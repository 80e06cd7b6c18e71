"""Where the lungs are: the networks of the ``lungs`` model and of the members' localiser."""
