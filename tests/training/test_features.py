"""Landmarks and oriented gradients, and the network that takes them."""

import dataclasses

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from facecloak_train import nets, run
from facecloak_train.data import features, fer2013
from facecloak_train.data.landmarks import IBUG_68, IBUG_68_MIRROR
from facecloak_train.measure.accuracy import ten_crop_logits
from facecloak_train.recipes.describe_faces import describe_faces
from facecloak_train.recipes.fit_classifier import fit_classifier
from facecloak_train.settings import DescribeSettings, Hardening
from facecloak_train.teachers import load_weights
from skimage.feature import hog
from torch import nn

RIGHT_EYE, LEFT_EYE, LIPS = range(36, 42), range(42, 48), range(48, 68)


class TinyDescribed(nn.Module):
    """Looks at the features alone, of which it takes the first fourteen."""

    takes_features = True

    def __init__(self, classes):
        super().__init__()
        self.head = nn.Linear(14, classes)

    def forward(self, faces, features):
        return self.head(features[:, :14]) + 0.0 * faces.mean((1, 2, 3))[:, None]


def portrait():
    grey = cv2.cvtColor(skimage.data.astronaut()[15:175, 140:300], cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (48, 48), interpolation=cv2.INTER_AREA)


def test_the_windows_are_those_of_the_published_features():
    face = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    whole = features.sliding_hog(face)
    assert whole.shape == (2592,)
    assert features.COUNT == 2728 == nets.NETS["cnn-landmarks-hog"](7).features[0].num_features
    options = {"orientations": 8, "pixels_per_cell": (8, 8), "cells_per_block": (1, 1)}
    np.testing.assert_allclose(whole[:72], hog(face[:24, :24], **options), atol=1e-6)
    # 18 x 18 cells; the last window is cut to one cell and begins at pixel 36.
    np.testing.assert_allclose(whole[-8:], hog(face[36:, 36:], **options), atol=1e-6)


def test_a_vertical_edge_is_seen_as_one():
    ramp = np.tile(np.linspace(0, 255, 48).astype(np.uint8), (48, 1))
    across, along = (features.sliding_hog(face).reshape(-1, 8) for face in (ramp, ramp.T))
    assert set(across.argmax(axis=1)) == {0}
    assert set(along.argmax(axis=1)) == {4}


def test_the_mirror_image_of_a_point_is_one_of_the_68():
    mirror = np.array(IBUG_68_MIRROR)
    assert len(set(IBUG_68)) == len(mirror) == 68
    np.testing.assert_array_equal(mirror[mirror], np.arange(68))


@pytest.fixture
def described(tmp_path):
    """A set of one person, and her features."""
    rng = np.random.default_rng(0)
    image = portrait()
    noise = rng.integers(-4, 5, (4, 48, 48))
    images = np.clip(image + noise, 0, 255).astype(np.uint8)
    images[3] = 128
    splits = {split: fer2013.Faces(images, np.arange(4)) for split in fer2013.SPLITS}
    data, out = tmp_path / "one.npz", tmp_path / "features.npz"
    fer2013.write_npz(data, splits)
    missing = describe_faces(DescribeSettings(data=data, out=out))
    assert missing == dict.fromkeys(fer2013.SPLITS, 1)
    return data, out


@pytest.mark.slow
def test_the_landmarks_lie_where_ibug_has_them(described):
    faces = features.splits_of(*described)["Training"]
    assert faces.features.shape == (4, 2, 2728)
    points = faces.features[0, 0, :136].astype(float).reshape(68, 2)
    right, left, lips = (points[list(part)].mean(axis=0) for part in (RIGHT_EYE, LEFT_EYE, LIPS))
    assert right[0] < lips[0] < left[0]
    assert abs(right[1] - left[1]) < 0.08
    assert lips[1] > right[1] + 0.2
    assert points[8, 1] == points[:, 1].max()  # the chin
    assert points[30, 0] == pytest.approx(lips[0], abs=0.08)  # the tip of the nose
    mirrored = faces.features[0, 1, :136].astype(float).reshape(68, 2)
    assert mirrored[36, 0] == pytest.approx(1.0 - points[45, 0], abs=2e-3)
    # The grey picture, in which there is no face, has the mean of the others.
    mean = faces.features[:3, 0, :136].astype(float).mean(axis=0)
    np.testing.assert_allclose(faces.features[3, 0, :136].astype(float), mean, atol=2e-3)
    flipped = np.ascontiguousarray(faces.images[0][:, ::-1])
    np.testing.assert_allclose(
        faces.features[0, 1, 136:].astype(float), features.sliding_hog(flipped), atol=1e-3
    )


def test_no_face_at_all_is_one_sentence(tiny_faces, tmp_path):
    settings = DescribeSettings(data=tiny_faces, out=tmp_path / "features.npz")
    with pytest.raises(fer2013.DatasetError, match=r"no landmarks in any training face"):
        describe_faces(settings)


def test_the_folder_is_there_before_the_long_work(tiny_faces, tmp_path, monkeypatch):
    out, found = tmp_path / "deep" / "features.npz", []

    def begins(**_options):
        found.append(out.parent.is_dir())
        raise KeyboardInterrupt

    monkeypatch.setattr("facecloak_train.recipes.describe_faces.MeshModel", begins)
    with pytest.raises(KeyboardInterrupt):
        describe_faces(DescribeSettings(data=tiny_faces, out=out))
    assert found == [True]


@pytest.fixture
def tiny_described(tiny_faces, tmp_path, monkeypatch):
    """Seven features that tell the class of a face, seven that tell that of a mirror image."""
    monkeypatch.setitem(nets.NETS, "tiny-described", TinyDescribed)
    splits = fer2013.read_npz(tiny_faces)
    told = {}
    for split, faces in splits.items():
        rows = np.zeros((len(faces), 2, 16), np.float16)
        rows[np.arange(len(faces)), 0, faces.labels] = 1
        rows[np.arange(len(faces)), 1, 7 + faces.labels] = 1
        told[split] = rows
    path = tmp_path / "features.npz"
    features.write(path, told, tiny_faces)
    return path


def test_a_network_learns_from_features(tiny_settings, tiny_described):
    """Those of faces and of their mirror images tell the class by different numbers."""
    settings = tiny_settings("run", net="tiny-described", features=tiny_described, epochs=20)
    assert fit_classifier(dataclasses.replace(settings, learning_rate=0.2)) == 1.0


def test_a_mirror_image_comes_with_its_own_features(tiny_settings, tiny_described):
    """Half of the ten crops are mirror images."""
    settings = tiny_settings("run", features=tiny_described)
    faces = features.splits_of(settings.data, tiny_described)["PublicTest"]
    net = TinyDescribed(7)
    with torch.no_grad():
        net.head.weight.copy_(torch.cat([torch.eye(7), 3.0 * torch.eye(7).flip(0)], dim=1))
        net.head.bias.zero_()
    logits = ten_crop_logits(net, faces, 44, torch.device("cpu"))
    plain, mirrored = np.eye(7)[faces.labels], 3.0 * np.eye(7)[6 - faces.labels]
    wanted = (plain + mirrored) / 2.0
    np.testing.assert_allclose(logits, wanted, atol=1e-2)


def test_features_that_do_not_fit_are_one_sentence(tiny_settings, tiny_described, tmp_path):
    with pytest.raises(ValueError, match=r"tiny-described needs features"):
        fit_classifier(tiny_settings("run", net="tiny-described"))
    with pytest.raises(run.RunError, match="give --mixup 0 with --features"):
        fit_classifier(
            tiny_settings("mixed", net="tiny-described", features=tiny_described, mixup=0.2)
        )
    with pytest.raises(
        run.RunError, match="attacked faces are not known; give --hardening-attack none"
    ):
        fit_classifier(
            tiny_settings(
                "hard",
                net="tiny-described",
                features=tiny_described,
                hardening=Hardening(attack="fgsm"),
            )
        )
    assert not (tmp_path / "hard").exists()
    settings = tiny_settings("other", net="tiny-described", features=tmp_path / "none.npz")
    with pytest.raises(fer2013.DatasetError, match=r"run `facecloak-train describe`"):
        fit_classifier(settings)
    (tmp_path / "empty.npz").touch()
    np.save(tmp_path / "x.npy", np.zeros(3))
    for name in ("empty.npz", "x.npy"):
        with pytest.raises(fer2013.DatasetError, match=f"{name}: no features of FER2013"):
            features.splits_of(settings.data, tmp_path / name)
    other = tmp_path / "other.npz"
    fer2013.write_npz(other, fer2013.read_npz(settings.data) | {})
    other.write_bytes(other.read_bytes() + b" ")
    with pytest.raises(fer2013.DatasetError, match=r"describes another set"):
        features.splits_of(other, tiny_described)


def test_a_described_network_comes_back_from_its_checkpoint(tmp_path):
    net = nets.build("cnn-landmarks-hog", 7, features=True).eval()
    faces, told = torch.rand(4, 1, 44, 44), torch.rand(2, features.COUNT)
    run.save_checkpoint(tmp_path / "net.safetensors", net.state_dict(), {})
    again = nets.build("cnn-landmarks-hog", 7, features=True).eval()
    again.load_state_dict(run.load_checkpoint(tmp_path / "net.safetensors")[0])
    bound = nets.Bound(again, told).eval()
    torch.testing.assert_close(bound(faces)[2:], net(faces[2:], told))
    assert bound(faces).shape == (4, 7)


def test_it_may_begin_with_the_convolutions_of_a_network_without_features(tmp_path):
    plain = nets.build("resnet14", 7)
    path = tmp_path / "best.safetensors"
    run.save_checkpoint(path, plain.state_dict(), {"net": "resnet14"})
    net = nets.build("cnn-landmarks-hog", 7, features=True)
    load_weights(net, path, torch.zeros(1, 1, 48, 48, dtype=torch.uint8), 44, 0)
    for mine, theirs in zip(
        net.picture[0].features.parameters(), plain.features.parameters(), strict=True
    ):
        torch.testing.assert_close(mine, theirs)
    run.save_checkpoint(path, nets.build("vgg19", 7).state_dict(), {"net": "vgg19"})
    with pytest.raises(run.RunError, match="holds another network"):
        load_weights(net, path, torch.zeros(1, 1, 48, 48, dtype=torch.uint8), 44, 0)
