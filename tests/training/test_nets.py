import pytest
import torch
from facecloak_train import nets


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("vgg19", 20_038_983), ("resnet18", 11_171_271), ("resnet14", 2_433_063)],
)
@pytest.mark.parametrize("size_px", [32, 44, 48])
def test_a_network_is_as_large_as_told_and_takes_every_crop(name, parameters, size_px):
    net = nets.build(name, 7).eval()
    assert sum(weights.numel() for weights in net.parameters()) == parameters
    faces = torch.rand(2, 1, size_px, size_px)
    with torch.no_grad():
        assert net(faces).shape == (2, 7)


@pytest.mark.parametrize("name", sorted(nets.NETS))
def test_every_face_moves_the_logits_of_a_network_that_has_learnt_its_head(name):
    torch.manual_seed(0)
    net = nets.build(name, 7, features=True).eval()
    head = [layer for layer in net.modules() if isinstance(layer, torch.nn.Linear)][-1]
    torch.nn.init.normal_(head.weight)
    if nets.takes_features(net):
        net = nets.Bound(net, torch.zeros(2, 2728)).eval()
    with torch.no_grad():
        dark, light = net(torch.rand(2, 1, 44, 44) * torch.tensor([0.2, 1.0])[:, None, None, None])
    assert not torch.allclose(dark, light)


def test_a_residual_block_begins_as_its_shortcut():
    net = nets.build("resnet14", 7).eval()
    block = net.features[-1]
    maps = torch.rand(1, 192, 6, 6)
    with torch.no_grad():
        torch.testing.assert_close(block(maps), maps)


def test_an_unknown_network_is_told_with_the_names_there_are():
    with pytest.raises(ValueError, match="resnet14, resnet18, vgg19"):
        nets.build("vgg", 7)
