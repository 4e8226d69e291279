try:
    import start
except Exception:
    raise SystemExit("error: damaged, or out of memory; copy the bundle again")
