"""What people and models write in the demo: composed from what such a desk really deals with.

A topic draws the facts of a run; every sentence of the run then speaks of the same facts. Long documents
are named, not quoted, as most teams keep them out of their telemetry.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from random import Random

Facts = dict[str, str]

_PEOPLE = ("Marta Silva", "John Okafor", "Yuki Tanaka", "Elin Berg", "Priya Nair", "Tom Becker", "Ana Costa")
_PRODUCTS = (
    ("Alpine 40 backpack", "129"),
    ("Trailrunner GTX shoes", "164"),
    ("Summit down jacket", "289"),
    ("Two-person tent Lofoten", "419"),
    ("Carbon hiking poles", "96"),
    ("Titanium cook set", "74"),
    ("Head torch 900", "68"),
)
_TROUBLES = (
    ("billing", "The invoice shows last month twice. Was I charged two times?"),
    ("delivery", "Tracking has said 'in transit' for eight days now. Where is my parcel?"),
    ("returns", "The size is wrong. How do I send it back, and who pays for that?"),
    ("warranty", "The zip broke after three weeks. I would like a replacement."),
    ("account", "I no longer get the mail with the code, so I cannot sign in."),
    ("delivery", "The parcel came without the poles that are on the packing list."),
)
_REMEDIES = {
    "billing": "The second entry is the correction of the first; you were charged once, on the 3rd.",
    "delivery": "The carrier lost sight of it in Memphis; a new parcel leaves today, at no cost to you.",
    "returns": "I have sent you a label; the return is free and the other size is reserved until Friday.",
    "warranty": "A replacement is on its way. Keep the old one or give it away, we do not need it back.",
    "account": "Your provider had put our mails aside. I sent a new code and extended it to one hour.",
}
_COMPANIES = ("Hanse Logistics", "Vantor Energy", "Kestrel Bank", "Nordlicht Reederei", "Solano Foods")
_CONTRACTS = (
    "framework agreement",
    "licence agreement",
    "data processing agreement",
    "charter party",
    "lease",
)
_CLAUSES = (
    ("4.2", "liability is not capped for indirect loss", "high"),
    ("7.1", "notice of six months instead of three", "medium"),
    ("9.3", "price may rise with an index that only the supplier publishes", "high"),
    ("11", "venue is the supplier's seat", "low"),
    ("13.4", "audit only once in two years", "medium"),
    ("15.2", "subprocessors may be changed without notice", "high"),
)
_MARKETS = (
    ("battery storage", "Chile and Peru", "through local partners"),
    ("cold chain warehouses", "Poland", "by buying a regional carrier"),
    ("instant payments", "Portugal", "with its own licence"),
    ("shore power", "the Baltic ports", "in tenders together with two utilities"),
    ("green hydrogen", "Morocco", "as an offtaker, not as an operator"),
)
_SOURCES = (
    "annual report 2025, p. 41",
    "trade register",
    "job openings by country",
    "tender notice 2026/118",
)
_SUPPLIERS = ("Chotchkie's Catering", "Penetrode Ltd", "Intertrode Parts", "Lumbergh Paper", "Bolton Print")
_REPORTS = (
    ("TPS", "cover sheet"),
    ("expenses", "receipts"),
    ("travel", "approval"),
    ("assets", "inventory no."),
)
_HEADLINES = (
    "the regulator opens a consultation on grid fees",
    "two ports announce a joint booking platform",
    "the central bank leaves its rate unchanged",
    "a strike at the rail operator ends after nine days",
    "a rival cuts its forecast for the second half",
)


def facts(topic: str, rng: Random) -> Facts:
    """The facts of one run; `subject` names it."""
    return _TOPICS[topic](rng)


def _support(rng: Random) -> Facts:
    team, trouble = rng.choice(_TROUBLES)
    product, price = rng.choice(_PRODUCTS)
    order = f"A-{rng.randrange(100_000, 999_999)}"
    return {
        "subject": f"ticket about order {order}",
        "team": team,
        "ask": f"Order {order} ({product}, ${price}): {trouble}\n{rng.choice(_PEOPLE)}",
        "remedy": _REMEDIES[team],
        "look": json.dumps({"order_id": order}),
        "found": json.dumps({"order_id": order, "item": product, "paid_usd": price, "team": team}),
    }


def _shop(rng: Random) -> Facts:
    product, price = rng.choice(_PRODUCTS)
    use = rng.choice(("a week in Norway", "autumn in the Alps", "trail runs after work", "a first hut tour"))
    return {
        "subject": f"advice on {product}",
        "ask": f"I am looking for something for {use}. Is the {product} right for that?",
        "remedy": f"For {use} the {product} (${price}) fits well; take it one size up if you wear layers.",
        "look": json.dumps({"query": use, "limit": 3}),
        "found": json.dumps([{"name": product, "price_usd": price, "stock": rng.randrange(2, 80)}]),
    }


def _contract(rng: Random) -> Facts:
    company, kind = rng.choice(_COMPANIES), rng.choice(_CONTRACTS)
    number, clauses = f"C-{rng.randrange(2_000, 9_999)}", rng.sample(_CLAUSES, 3)
    listed = "; ".join(f"{clause} ({risk} risk): {what}" for clause, what, risk in clauses)
    return {
        "subject": f"{kind} {number}",
        "ask": f"Compare the {kind} {number} with {company} with our standard terms.\n"
        f"[document {number}.pdf, {rng.randrange(9, 64)} pages, kept out of telemetry]",
        "remedy": f"Three clauses deviate. {listed}.",
        "look": json.dumps({"contract": number}),
        "found": listed,
    }


def _market(rng: Random) -> Facts:
    company = rng.choice(_COMPANIES)
    what, where, how = rng.choice(_MARKETS)
    source = rng.choice(_SOURCES)
    return {
        "subject": f"{company}: {what}",
        "ask": f"Which markets do the competitors of {company} enter in {what} this year, and how?",
        "remedy": f"The strongest competitor enters {where} {how} ({source}). "
        "Likely, not certain: two of three sources agree.",
        "look": json.dumps({"query": f"{what} market entry {where} 2026"}),
        "found": f"{what}: entry into {where} {how}; source: {source}",
    }


def _archive(rng: Random) -> Facts:
    number = f"batch {rng.randrange(100, 999)}"
    return {
        "subject": number,
        "ask": f"[{rng.randrange(30, 90)} passages of {number}, kept out of telemetry]",
        "remedy": "",
        "look": "{}",
        "found": "",
    }


def _news(rng: Random) -> Facts:
    company, (first, second) = rng.choice(_COMPANIES), rng.sample(_HEADLINES, 2)
    return {
        "subject": f"briefing for {company}",
        "ask": f"Sum up for the {company} team what matters today.\n[{rng.randrange(6, 30)} articles, "
        "kept out of telemetry]",
        "remedy": f"For {company} two things matter: {first}, and {second}. Nothing needs an answer today.",
        "look": "{}",
        "found": "",
    }


def _invoice(rng: Random) -> Facts:
    supplier, amount = rng.choice(_SUPPLIERS), f"{rng.randrange(40_00, 9_800_00) / 100:.2f}"
    due, number = f"2026-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}", rng.randrange(10_000, 99_999)
    return {
        "subject": f"invoice {number}",
        "ask": f"Read this invoice.\n[scan of invoice {number}, one page, kept out of telemetry]",
        "remedy": json.dumps({"supplier": supplier, "number": number, "amount": amount, "due_date": due}),
        "look": json.dumps({"name": supplier}),
        "found": json.dumps({"supplier_id": 7000 + number % 900, "name": supplier, "iban_known": True}),
    }


def _report(rng: Random) -> Facts:
    kind, part = rng.choice(_REPORTS)
    number, missing = f"{kind}-{rng.randrange(1_000, 9_999)}", rng.random() < 0.3
    return {
        "subject": f"report {number}",
        "ask": f"Is report {number} complete?\n[{rng.randrange(1, 6)} pages, kept out of telemetry]",
        "remedy": f"incomplete: the {part} is missing" if missing else "complete",
        "look": "{}",
        "found": "",
    }


def _audit(rng: Random) -> Facts:
    account, booking = rng.randrange(4_000, 4_999), rng.randrange(100_000, 999_999)
    supplier = rng.choice(_SUPPLIERS)
    return {
        "subject": f"account {account}",
        "ask": f"Match the bookings on account {account} with their documents.",
        "remedy": f"Booking {booking} ({supplier}) has no document; all others match to the cent.",
        "look": json.dumps({"account": account, "limit": 200}),
        "found": f"{rng.randrange(40, 200)} bookings, 1 without a document: {booking}, {supplier}",
    }


_TOPICS: Mapping[str, Callable[[Random], Facts]] = {
    "support": _support,
    "shop": _shop,
    "contract": _contract,
    "market": _market,
    "archive": _archive,
    "news": _news,
    "invoice": _invoice,
    "report": _report,
    "audit": _audit,
}
