"""The findings, in the order in which a person would look."""

from __future__ import annotations

from watchglass.doctor.contract import Finding
from watchglass.doctor.findings.absurd_reported_cost import AbsurdReportedCost
from watchglass.doctor.findings.budget import Budget
from watchglass.doctor.findings.duplicates import Duplicates
from watchglass.doctor.findings.no_data import NoData
from watchglass.doctor.findings.priced_since import PricedSince
from watchglass.doctor.findings.refused_prices import RefusedPrices
from watchglass.doctor.findings.rejected import Rejected
from watchglass.doctor.findings.token_sums import TokenSums
from watchglass.doctor.findings.unattributed import Unattributed
from watchglass.doctor.findings.unknown_provider import UnknownProvider
from watchglass.doctor.findings.unpriced import Unpriced

FINDINGS: tuple[Finding, ...] = (
    NoData(),
    Rejected(),
    UnknownProvider(),
    Unpriced(),
    RefusedPrices(),
    PricedSince(),
    TokenSums(),
    AbsurdReportedCost(),
    Unattributed(),
    Duplicates(),
    Budget(),
)
"""Every finding; a new one is a file here and a line in this list."""
