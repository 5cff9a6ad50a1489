import json
from dataclasses import replace

import pytest

from facecloak.core.errors import ArtifactError, DigestMismatch
from facecloak.core.modelcard import UNSEALED, ModelCard, check_seal, is_sealed, parse, seal

CARD = ModelCard(
    name="V",
    architecture="vgg19",
    labels=("a", "b"),
    input_px=48,
    dataset="FER2013",
    measured={"private_ten_crop": 0.7},
)


def sealed_file():
    content = seal(b"weights" + CARD.to_json().encode() + b"more weights")
    card = parse(content[len(b"weights") : -len(b"more weights")].decode(), "v.onnx")
    return content, card


def test_a_sealed_file_proves_itself():
    content, card = sealed_file()
    assert card.sha256 != UNSEALED
    assert replace(card, sha256=UNSEALED) == CARD
    check_seal(content, card, "v.onnx")
    assert is_sealed(content, card.sha256)


def test_one_changed_byte_breaks_the_seal():
    content, card = sealed_file()
    with pytest.raises(DigestMismatch, match=r"v\.onnx"):
        check_seal(content.replace(b"more", b"mare"), card, "v.onnx")


def test_the_card_of_another_file_does_not_fit():
    content, card = sealed_file()
    with pytest.raises(DigestMismatch):
        check_seal(content, replace(card, sha256="1" * 64), "v.onnx")
    assert not is_sealed(content, "1" * 64)


def test_sealing_needs_exactly_one_card():
    with pytest.raises(ValueError, match="exactly one"):
        seal(b"no card")


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{}",
        "[]",
        json.dumps(json.loads(CARD.to_json()) | {"labels": ["a", "a"]}),
        json.dumps(json.loads(CARD.to_json()) | {"labels": ["a"]}),
        json.dumps(json.loads(CARD.to_json()) | {"input_px": 4}),
        json.dumps(json.loads(CARD.to_json()) | {"format": 2}),
        json.dumps(json.loads(CARD.to_json()) | {"input_layout": "NHWC"}),
        json.dumps(json.loads(CARD.to_json()) | {"surprise": 1}),
        json.dumps(json.loads(CARD.to_json()) | {"input_px": 44.5}),
        json.dumps(json.loads(CARD.to_json()) | {"sha256": 5}),
        json.dumps(json.loads(CARD.to_json()) | {"sha256": "abc"}),
        json.dumps(json.loads(CARD.to_json()) | {"input_range": [0, 1, 2]}),
    ],
)
def test_a_bad_card_is_one_sentence_that_names_the_file(text):
    with pytest.raises(ArtifactError, match=r"v\.onnx"):
        parse(text, "v.onnx")
