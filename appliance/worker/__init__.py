"""The worker: what may take its time. Mail from the outbox, spoken prompts, uploaded sounds, the daily chores.

Nothing a caller waits for happens here, and nothing here can hold up a call: ending this process loses nothing.
"""
