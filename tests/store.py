"""Write the models that the conformance rows ask about: ``python tests/store.py DIR``."""

from support.conformance.model_store import main

if __name__ == "__main__":
    main()
