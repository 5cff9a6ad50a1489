"""A grid of experiments: thousands of runs of ``facecloak-train``, and nothing lost on the way.

    GRID.toml --reading--> plan --expand--> jobs --drive--> engine --work--> job folder
                                                   '--states, results--> store (SQLite)

- A *stage* is a command with fixed options and axes; later stages refer to what earlier ones write.
- A *job* is one run of one command. Its identity is the digest of all that its result depends on.
- The *store* says which jobs are done and what they yielded; grids that run at once share it.
- ``work.perform`` runs a job as a process of its own, whatever engine calls it.
- An *engine* has places for jobs: this machine's cores, or a Ray cluster.

Nothing here imports torch at the top: to look at a grid, or to go on with a finished one, is quick.
"""
