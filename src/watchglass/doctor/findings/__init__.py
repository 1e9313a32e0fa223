"""The findings, in the order in which a person would look."""

from __future__ import annotations

from watchglass.doctor.contract import Finding
from watchglass.doctor.findings.absurd_reported_cost import AbsurdReportedCost
from watchglass.doctor.findings.billed_unrecorded import BilledUnrecorded
from watchglass.doctor.findings.budget import Budget
from watchglass.doctor.findings.clock_skew import ClockSkew
from watchglass.doctor.findings.content_cut import ContentCut
from watchglass.doctor.findings.duplicates import Duplicates
from watchglass.doctor.findings.gone_silent import GoneSilent
from watchglass.doctor.findings.handler_missing import HandlerMissing
from watchglass.doctor.findings.lost_by_sender import LostBySender
from watchglass.doctor.findings.newer_sdk import NewerSdk
from watchglass.doctor.findings.no_context import NoContext
from watchglass.doctor.findings.no_data import NoData
from watchglass.doctor.findings.priced_since import PricedSince
from watchglass.doctor.findings.refused_keys import RefusedKeys
from watchglass.doctor.findings.refused_prices import RefusedPrices
from watchglass.doctor.findings.rejected import Rejected
from watchglass.doctor.findings.stuck_tasks import StuckTasks
from watchglass.doctor.findings.token_sums import TokenSums
from watchglass.doctor.findings.tracking_off import TrackingOff
from watchglass.doctor.findings.unattributed import Unattributed
from watchglass.doctor.findings.unknown_provider import UnknownProvider
from watchglass.doctor.findings.unpriced import Unpriced
from watchglass.doctor.findings.unrecorded_requests import UnrecordedRequests

FINDINGS: tuple[Finding, ...] = (
    NoData(),
    RefusedKeys(),
    LostBySender(),
    Rejected(),
    GoneSilent(),
    TrackingOff(),
    UnrecordedRequests(),
    HandlerMissing(),
    StuckTasks(),
    UnknownProvider(),
    Unpriced(),
    RefusedPrices(),
    PricedSince(),
    TokenSums(),
    AbsurdReportedCost(),
    Unattributed(),
    BilledUnrecorded(),
    ClockSkew(),
    NoContext(),
    Duplicates(),
    Budget(),
    NewerSdk(),
    ContentCut(),
)
"""Every finding that tables alone tell of; a new one is a file here and a line in this list.

Those that look at the directory that holds the tables are made where it is open (`surfaces/examining.py`).
"""

NEVER_RECORDED: tuple[Finding, ...] = (UnrecordedRequests(), Unattributed(), BilledUnrecorded())
"""Those that know of requests of which no call is on record; `watchglass coverage` shows them."""
