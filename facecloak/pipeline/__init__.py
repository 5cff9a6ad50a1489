"""Runs the stages and decides what may leave. Knows only the ports of ``core``.

    Source --Frame--> Mailbox --> Protector --Frame--> Sink
                                  |  find -> cloak -> Jury --Rounds--> Guard --Output--> frame, held
                                  |                                                      or shield
                                  '--Protected--> observer, RunReport

``guard`` decides, and is pure. ``protector`` is what happens to one frame, live and in files alike.
``jury`` runs a judge, here or in a thread of its own. ``mailbox`` hands over and never queues;
``capture_thread`` fills one, ``live`` empties it and stands in when nothing comes. ``outlet``
writes and counts, ``report`` is the sum, ``news`` logs what changed. ``worker`` is the entry of
every thread and has the one broad ``except``. ``runner`` holds it together: ``run_live`` for a
camera, ``run_file`` for a file.
"""
