"""The support desk of BrightCart, an invented shop: its orders and its policy, as data."""

from __future__ import annotations

import re
from typing import Any, Literal

_ORDERS: dict[str, dict[str, Any]] = {
    "BC-1042": {
        "item": "Meadow desk lamp",
        "category": "lighting",
        "state": "delivered",
        "delivered_on": "2026-11-09",
        "days_since_delivery": 13,
    },
    "BC-2077": {
        "item": "Tern speaker",
        "category": "audio",
        "state": "in transit",
        "carrier": "Heron Parcel",
        "expected_on": "2026-11-25",
    },
    "BC-3310": {
        "item": "Lark kettle",
        "category": "kitchen",
        "state": "lost by the carrier",
        "lost_since": "2026-11-12",
    },
}

_POLICY: dict[str, dict[str, Any]] = {
    "lighting": {"days": 30, "needs_photo": True, "ships_replacement_first": True},
    "audio": {"days": 60, "needs_photo": False, "ships_replacement_first": True},
    "kitchen": {"days": 14, "needs_photo": True, "ships_replacement_first": False},
}


def normalize_order_id(text: str) -> str:
    """Turns whatever a customer wrote, such as "order no. bc 1042", into an order id such as BC-1042."""
    found = re.search(r"\bbc\W*(\d{4})\b", text, re.IGNORECASE) or re.search(r"\b(\d{4})\b", text)
    return f"BC-{found[1]}" if found else "no order id found"


def order_status(order_id: str) -> dict[str, Any]:
    """Where an order is: its item, category and state. Needs a normalized order id such as BC-1042."""
    if order_id not in _ORDERS:
        raise LookupError(f"there is no order {order_id}")
    return {"order_id": order_id, **_ORDERS[order_id]}


def replacement_policy(category: Literal["lighting", "audio", "kitchen"]) -> dict[str, Any]:
    """Under which terms something of a category is replaced: how many days, and what is needed."""
    return {"category": category, **_POLICY[category]}
