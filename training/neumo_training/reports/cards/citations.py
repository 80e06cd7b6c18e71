"""What the cards cite, the same in every language."""

from __future__ import annotations

CLAIM = "CLAIM 2024"
TRIPOD = "TRIPOD+AI"
DATA = (
    "Kermany, Zhang, Goldbaum: Labeled Optical Coherence Tomography (OCT) and Chest X-Ray Images "
    "for Classification, Mendeley Data, doi:10.17632/rscbjbr9sj; Kermany et al., Cell 172 (2018), "
    "doi:10.1016/j.cell.2018.02.010"
)
DATA_LICENCE = "CC BY 4.0"
MASKS = "V7 Labs, covid-19-xray-dataset, CC BY 4.0"
CODE_LICENCE = "Apache-2.0"
POPULATION_YEARS = (1, 5)
ADULT_YEARS = 18
