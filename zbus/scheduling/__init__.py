"""When things happen: cron grammar, triggers, timetable. Not built yet."""

__all__: list[str] = []
