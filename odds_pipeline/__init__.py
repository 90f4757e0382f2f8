"""odds-pipeline: from partner deliveries to a published recueil of social indicators.

The engine knows no partner and no indicator: it reads the declarations in ``assets/``,
``expectations/`` and ``resources/``.
"""

__version__ = "0.2.0"
