"""Search for the settings of `fit` under which a short run learns most.

    facecloak-train tune --data runs/fer2013.npz --out runs/tune --net resnet14 --trials 20

Each trial is a run of its own in ``OUT/trial-N``; its settings come from Optuna's tree-structured
Parzen estimator, and it is cut short where it does worse than the median of the others at the same
epoch. The study lies in ``OUT/study.db`` (SQLite): the same command goes on with it, also beside
another process, and a trial that was killed is begun anew. PrivateTest is never looked at.
"""

import dataclasses
import json
import logging

import numpy as np
import optuna

from facecloak_train import run
from facecloak_train.crew import assembled, size_told
from facecloak_train.data import fer2013
from facecloak_train.settings import FitSettings, TuneSettings
from facecloak_train.training import train

logger = logging.getLogger(__name__)

_WARM = 5
"""Trials before any is cut short."""


def tune_fit(settings: TuneSettings) -> FitSettings:
    """Search, write ``best.json``, and return the best settings.

    Raises:
        RunError: every trial failed, the study was begun with other settings, or torchrun started
            several processes, each of which would draw a trial of its own.
    """
    if size_told() > 1:
        msg = "torchrun cannot spread a study; start `facecloak-train tune` without it, also "
        raise run.RunError(msg + "several times beside one another with the same --out")
    settings.out.mkdir(parents=True, exist_ok=True)
    splits = fer2013.read_npz(settings.data)
    study = optuna.create_study(
        storage=f"sqlite:///{settings.out / 'study.db'}",
        study_name="fit",
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_WARM),
    )
    _same(study, settings)

    def objective(trial: optuna.Trial) -> float:
        study.sampler = _sampler(settings.seed, trial.number)
        chosen = proposed(trial, settings)
        best = 0.0

        def after_epoch(epoch: int, public: float) -> None:
            nonlocal best
            best = max(best, public)
            trial.report(public, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

        with assembled() as crew:
            train(chosen, splits, crew, after_epoch)
        return best

    ended = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED
    left = settings.trials - len(study.get_trials(deepcopy=False, states=ended))
    if left > 0:
        study.optimize(objective, n_trials=left)
    done = study.get_trials(deepcopy=False, states=(ended[0],))
    if not done:
        msg = f"no trial in {settings.out} came to its end; give more --trials"
        raise run.RunError(msg)
    found = {"public": study.best_value, "trial": study.best_trial.number} | study.best_params
    run.write_atomically(settings.out / "best.json", json.dumps(found, indent=2).encode())
    logger.info("best of %d: %s", len(done), json.dumps(found))
    return proposed(optuna.trial.FixedTrial(study.best_params, study.best_trial.number), settings)


def proposed(trial: optuna.trial.BaseTrial, settings: TuneSettings) -> FitSettings:
    """The settings of a trial: the optimiser, its rate and decay, and how much is erased."""
    usual = FitSettings(data=settings.data, out=settings.out / f"trial-{trial.number}")
    sgd = trial.suggest_categorical("optimizer", ["adamw", "sgd"]) == "sgd"
    rates = (5e-3, 0.3) if sgd else (1e-4, 5e-3)
    decays = (1e-5, 5e-3) if sgd else (1e-3, 0.5)
    kind = "sgd" if sgd else "adamw"
    return dataclasses.replace(
        usual,
        net=settings.net,
        start=settings.start,
        epochs=settings.epochs,
        small_epochs=0,
        batch=settings.batch,
        optimizer=kind,
        learning_rate=trial.suggest_float(f"{kind}_learning_rate", *rates, log=True),
        weight_decay=trial.suggest_float(f"{kind}_weight_decay", *decays, log=True),
        gradient_norm=5.0 if sgd else 1.0,
        label_smoothing=trial.suggest_float("label_smoothing", 0.0, 0.2),
        erase=trial.suggest_float("erase", 0.0, 0.6),
        seed=settings.seed,
    )


def _sampler(seed: int, number: int) -> optuna.samplers.BaseSampler:
    """What proposes the settings of a trial, asked when they are suggested.

    It draws as seed and number say, so that a study that was stopped between two trials goes on as
    if it had not been, and neither a process beside it nor one that comes later tries the same.
    """
    (drawn,) = np.random.SeedSequence([seed, number]).generate_state(1)
    return optuna.samplers.TPESampler(seed=int(drawn))


def _same(study: optuna.Study, settings: TuneSettings) -> None:
    asked = {
        "data": run.digest_of(settings.data),
        "start": settings.start and run.digest_of(settings.start),
        "net": settings.net,
        "epochs": settings.epochs,
        "batch": settings.batch,
    }
    begun = study.user_attrs.get("settings", asked)
    if begun != asked:
        changed = ", ".join(sorted(name for name in asked if begun.get(name) != asked[name]))
        msg = f"the study in {settings.out} was begun with another {changed}"
        raise run.RunError(msg + "; give the same, or another --out")
    study.set_user_attr("settings", asked)
