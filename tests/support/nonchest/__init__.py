"""Pictures that are no chest radiograph, and what ``lungs`` says of them.

Nothing here is shared with ``neumo_training.datasets.drawn_nonchest``, whose drawings ``lungs``
learnt from: other generators, other fonts, other sources. Every drawing comes from a seed.
"""
