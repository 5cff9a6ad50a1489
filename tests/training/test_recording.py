import pytest
import torch
from facecloak_train.recording import Recordings
from torch import nn


def net():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 7))


def test_a_shape_is_recorded_once_and_the_trials_leave_no_trace(monkeypatch):
    """Without a GPU: what records is played by something that tries the network, as it does."""
    asked = []

    def tries(whole, samples):
        assert torch.is_autocast_enabled("cpu")
        assert not torch.is_autocast_cache_enabled()
        assert whole.training
        asked.append(samples[0].shape)
        whole(samples[0] + 3.0)
        return whole

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", tries)
    monkeypatch.setattr("facecloak_train.precision.computes_bf16", lambda kind: kind == "cpu")
    plain = net()
    before = {name: tensor.clone() for name, tensor in plain.state_dict().items()}
    recordings, faces = Recordings(plain), torch.rand(5, 1, 8, 8)
    made = recordings.of(faces)
    assert made is recordings.of(torch.rand(5, 1, 8, 8))
    assert recordings.of(faces[:2]) is recordings.of(faces[:2])
    assert asked == [(5, 1, 8, 8), (2, 1, 8, 8)]
    assert recordings.of(faces) is not made  # one at a time is kept
    for name, tensor in plain.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    torch.testing.assert_close(made(faces), plain(faces))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")
@pytest.mark.filterwarnings("ignore:Attempting to run cuBLAS")
@pytest.mark.filterwarnings("ignore:The AccumulateGrad node's stream")
def test_what_is_replayed_trains_as_what_is_launched():
    torch.manual_seed(0)
    one = net().cuda()
    other = net().cuda()
    other.load_state_dict(one.state_dict())
    recordings = Recordings(other)
    for number in range(4):
        torch.manual_seed(number)
        faces = torch.rand(16, 1, 8, 8, device="cuda")
        for trained, played in ((one, one), (other, recordings.of(faces))):
            with torch.autocast("cuda", torch.bfloat16):
                loss = played(faces).square().mean()
            trained.zero_grad()
            loss.backward()
            with torch.no_grad():
                for parameter in trained.parameters():
                    parameter.sub_(0.1 * parameter.grad)
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], tensor, atol=1e-2, rtol=1e-2)
