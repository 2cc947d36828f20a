"""A session: one command's life, from its first line in the journal to its report.

lifecycle   begin, run the jobs, finish, close
progress    what a person sees meanwhile
export      the session's results as plain files
"""
