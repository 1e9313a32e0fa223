"""The cast: which models there are, and what the three tenants let their agents do with them.

Speeds are of the order one sees; prices are none of the demo's business: they come from the server's book.
`z-ai/glm-5.2` at OpenRouter costs more since 2026-11-03 and `deepseek-chat` costs less at night (UTC), both
according to `genai-prices`; `initech-7b-finetuned` runs on the tenant's own machines and has no price.
"""

from __future__ import annotations

from watchglass.surfaces.demo.records import Beat, Model, Role, Workload

_OPENAI, _ANTHROPIC, _MISTRAL = "api.openai.com", "api.anthropic.com", "api.mistral.ai"


def _model(provider: str, host: str, name: str, answered: str, first_s: float, speed: float) -> Model:
    prefix = {"anthropic": "msg_", "openrouter": "gen-"}.get(provider, "chatcmpl-")
    return Model(
        provider=provider,
        host=host,
        name=name,
        answered=answered,
        first_s=first_s,
        speed=speed,
        id_prefix=prefix,
    )


MODELS: dict[str, Model] = {
    each.name: each
    for each in (
        _model("openai", _OPENAI, "gpt-4o-mini", "gpt-4o-mini-2024-07-18", 0.42, 95),
        _model("openai", _OPENAI, "gpt-4.1", "gpt-4.1-2025-04-14", 0.61, 78),
        _model("openai", _OPENAI, "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", 0.44, 115),
        _model("openai", _OPENAI, "gpt-5-mini", "gpt-5-mini-2025-08-07", 0.9, 98),
        _model("openai", _OPENAI, "o3", "o3-2025-04-16", 2.4, 41),
        _model("openai", _OPENAI, "text-embedding-3-small", "text-embedding-3-small", 0.17, 0),
        _model("anthropic", _ANTHROPIC, "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", 1.15, 64),
        _model("anthropic", _ANTHROPIC, "claude-haiku-4-5", "claude-haiku-4-5-20251001", 0.55, 142),
        _model("mistral", _MISTRAL, "mistral-small-latest", "mistral-small-latest", 0.36, 128),
        _model("deepseek", "api.deepseek.com", "deepseek-chat", "deepseek-chat", 1.3, 34),
        _model("openrouter", "openrouter.ai", "z-ai/glm-5.2", "z-ai/glm-5.2", 0.95, 57),
        _model("openai", "llm.initech.example", "initech-7b-finetuned", "initech-7b-finetuned", 0.14, 62),
    )
}

_ASSISTANT = Role(
    name="support-agent",
    goal="Answer customers' tickets so that they need not write again",
    task="reply_to_ticket",
    expected="A reply that the customer can act on",
    phase="reply",
    beats=(
        Beat(model="text-embedding-3-small", operation="embeddings", input=46),
        Beat(model="gpt-4o-mini", input=640, output=42),
        Beat(tool="search_orders"),
        Beat(tool="search_help_articles", times=(0, 1)),
        Beat(model="gpt-4.1", input=9_400, output=330, cached=0.62, stream=True, fallback="gpt-4.1-mini"),
    ),
)
_TRIAGE = Role(
    name="triage",
    goal="Send each ticket to the team that can close it",
    task="route_ticket",
    expected="One team's name",
    phase="triage",
    beats=(Beat(model="gpt-4o-mini", input=720, output=24),),
)
_ADVISER = Role(
    name="product-adviser",
    goal="Help a visitor to the right product",
    task="advise",
    expected="A short answer with at most three products",
    phase="answer",
    beats=(
        Beat(model="gpt-4.1-mini", input=2_350, output=58, cached=0.4, stream=True),
        Beat(tool="search_catalogue"),
        Beat(model="gpt-4.1-mini", input=3_900, output=240, cached=0.55, stream=True, usage_left_out=0.02),
    ),
)
_REVIEWER = Role(
    name="contract-reviewer",
    goal="Find what deviates from the client's standard terms",
    task="review_clauses",
    expected="A list of clauses with the risk of each",
    phase="review",
    beats=(
        Beat(model="claude-haiku-4-5", input=5_200, output=310),
        Beat(
            model="claude-sonnet-4-5",
            input=21_500,
            output=1_350,
            cached=0.78,
            written=True,
            fallback="gpt-4.1",
            times=(2, 4),
        ),
    ),
)
_CREW = (
    Role(
        name="Market Researcher",
        goal="Find out what the client's competitors do, with sources",
        task="collect_evidence",
        expected="A list of findings with a source each",
        phase="research",
        beats=(
            Beat(model="gpt-5-mini", input=3_300, output=1_500, cached=0.3, thought=0.6),
            Beat(tool="search_web"),
            Beat(model="gpt-5-mini", input=7_900, output=1_250, cached=0.45, thought=0.5),
            Beat(tool="read_page", times=(1, 3)),
            Beat(model="gpt-5-mini", input=14_600, output=1_800, cached=0.5, thought=0.45),
        ),
    ),
    Role(
        name="Senior Analyst",
        goal="Judge which findings matter to the client's question",
        task="weigh_evidence",
        expected="Three conclusions with how sure we are of each",
        phase="analysis",
        beats=(Beat(model="o3", input=11_800, output=4_300, thought=0.8, times=(1, 2)),),
    ),
    Role(
        name="Report Writer",
        goal="Write what a board member reads in five minutes",
        task="write_report",
        expected="Two pages of prose",
        phase="writing",
        beats=(Beat(model="gpt-4.1", input=6_900, output=1_450, cached=0.2),),
    ),
)
_INDEXER = Role(
    name="indexer",
    goal="Keep the search index of the document archive current",
    task="embed_documents",
    expected="A vector for each passage",
    phase="index",
    beats=(Beat(model="text-embedding-3-small", operation="embeddings", input=7_600, times=(6, 14)),),
)
_BRIEFER = Role(
    name="briefing-writer",
    goal="Sum the morning's news up for each client team",
    task="write_briefing",
    expected="Five sentences",
    phase="briefing",
    beats=(
        Beat(model="z-ai/glm-5.2", input=8_800, output=520, fallback="gpt-4.1-mini"),
        Beat(model="deepseek-chat", input=2_300, output=280, times=(0, 1)),
    ),
)
_READER = Role(
    name="invoice_reader",
    goal="Read supplier, amount and due date from an invoice",
    task="extract_invoice",
    expected="The invoice as JSON",
    phase="extraction",
    beats=(
        Beat(model="mistral-small-latest", input=2_450, output=150),
        Beat(tool="find_supplier"),
        Beat(model="mistral-small-latest", input=2_900, output=210),
    ),
)
_CHECKER = Role(
    name="report-checker",
    goal="Say whether a report is complete before it is filed",
    task="check_report",
    expected="complete or incomplete, and why",
    phase="check",
    beats=(Beat(model="initech-7b-finetuned", input=690, output=84),),
)
_AUDITORS = (
    Role(
        name="Ledger Auditor",
        goal="Match every booking with its document",
        task="match_bookings",
        expected="The bookings without a document",
        phase="matching",
        beats=(
            Beat(model="gpt-4.1", input=5_300, output=310, cached=0.35),
            Beat(tool="query_ledger", times=(1, 2)),
            Beat(model="gpt-4.1", input=8_100, output=420, cached=0.5),
        ),
    ),
    Role(
        name="Audit Writer",
        goal="Write findings so that the controller can act on them",
        task="write_findings",
        expected="One paragraph a finding",
        phase="writing",
        beats=(Beat(model="gpt-4.1-mini", input=3_300, output=560, cached=0.2),),
    ),
)

WORKLOADS: tuple[Workload, ...] = (
    Workload(
        tenant="demo-acme",
        engagements=("support-americas", "support-europe"),
        feature="ticket-reply",
        service="support-bot",
        library="otel_genai",
        entry="POST /tickets/{ticket_id}/reply",
        flow_type="support_ticket",
        topic="support",
        daily=110,
        weekend=0.55,
        roles=(_ASSISTANT,),
        utc_offset=-5,
    ),
    Workload(
        tenant="demo-acme",
        engagements=("support-americas", "support-europe"),
        feature="ticket-triage",
        service="ticket-router",
        library="otel_openai_v2",
        entry="POST /tickets",
        flow_type="support_ticket",
        topic="support",
        daily=170,
        weekend=0.6,
        roles=(_TRIAGE,),
        utc_offset=-5,
    ),
    Workload(
        tenant="demo-acme",
        engagements=("web-shop",),
        feature="product-advice",
        service="shop-web",
        library="vercel",
        entry="POST /api/chat",
        flow_type="conversation",
        topic="shop",
        daily=120,
        weekend=1.25,
        roles=(_ADVISER,),
        utc_offset=-4,
        turns=4,
    ),
    Workload(
        tenant="demo-globex",
        engagements=("hanse-logistics", "vantor-energy", "kestrel-bank"),
        feature="clause-check",
        service="legal-desk",
        library="otel_anthropic",
        entry="POST /contracts/{contract_id}/review",
        flow_type="contract_review",
        topic="contract",
        daily=34,
        weekend=0.08,
        roles=(_REVIEWER,),
        utc_offset=1,
    ),
    Workload(
        tenant="demo-globex",
        engagements=("vantor-energy", "kestrel-bank"),
        feature="market-study",
        service="research-crew",
        library="openinference",
        entry="market_study_crew",
        flow_type="research",
        topic="market",
        daily=15,
        weekend=0.1,
        roles=_CREW,
        utc_offset=1,
    ),
    Workload(
        tenant="demo-globex",
        engagements=("archive",),
        feature="document-index",
        service="archive-indexer",
        library="otel_openai_v2",
        entry="index documents",
        flow_type="indexing",
        topic="archive",
        daily=5,
        weekend=0.6,
        roles=(_INDEXER,),
        utc_offset=1,
        nightly=True,
        staging=0.0,
    ),
    Workload(
        tenant="demo-globex",
        engagements=("hanse-logistics", "vantor-energy", "kestrel-bank"),
        feature="news-briefing",
        service="briefing-desk",
        library="litellm",
        entry="write briefing",
        flow_type="briefing",
        topic="news",
        daily=70,
        weekend=0.2,
        roles=(_BRIEFER,),
        utc_offset=0,
    ),
    Workload(
        tenant="demo-initech",
        engagements=("accounts-payable",),
        feature="invoice-reading",
        service="invoice-reader",
        library="pydantic_ai",
        entry="read invoice",
        flow_type="invoice",
        topic="invoice",
        daily=130,
        weekend=0.12,
        roles=(_READER,),
        utc_offset=8,
    ),
    Workload(
        tenant="demo-initech",
        engagements=("back-office",),
        feature="report-check",
        service="report-checker",
        library="litellm",
        entry="check report",
        flow_type="report",
        topic="report",
        daily=95,
        weekend=0.1,
        roles=(_CHECKER,),
        utc_offset=8,
    ),
    Workload(
        tenant="demo-initech",
        engagements=("internal-audit",),
        feature="ledger-audit",
        service="audit-crew",
        library="openllmetry",
        entry="ledger_audit_crew",
        flow_type="audit",
        topic="audit",
        daily=15,
        weekend=0.1,
        roles=_AUDITORS,
        utc_offset=8,
    ),
)

TENANTS: tuple[str, ...] = tuple(dict.fromkeys(each.tenant for each in WORKLOADS))
"""All that the demo ever writes belongs to one of these."""
