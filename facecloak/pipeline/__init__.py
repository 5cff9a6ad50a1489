"""Runs the stages and decides what may leave: guard, mailbox, runner. Knows only ports."""
