"""The keys of rows, as the first release wrote them: another form would not find what a table holds."""

from recording_insights.store import keys


def test_keys_do_not_change_between_releases() -> None:
    assert keys.recording_key("r") == {"pk": "r", "sk": "RECORDING"}
    assert keys.media_key("r", "m") == {"pk": "r", "sk": "MEDIA#m"}
    assert keys.transcript_key("r", "m", 2, 7) == {"pk": "r", "sk": "TRANSCRIPT#m#002#0007"}
    assert keys.insight_key("r", "m", 2, "topics", 12) == {"pk": "r", "sk": "INSIGHT#m#002#topics#0012"}
    assert keys.claim_key("web/team") == {"pk": "CHANNEL#web/team", "sk": "CLAIM"}
    assert keys.callback_key("symbl", "j") == {"pk": "CALLBACK#symbl#j", "sk": "CALLBACK"}
    assert keys.sid_key("s") == {"pk": "SID#s", "sk": "SID"}
    assert keys.notice_key("n") == {"pk": "NOTICE#n", "sk": "NOTICE"}
