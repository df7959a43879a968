#ifndef KOSHIN_TEST_UNIT_SWEEP_STORY_H
#define KOSHIN_TEST_UNIT_SWEEP_STORY_H
/*
 * The story that the fault sweeps play again and again: whatever fails on the way, its end is the same. The site is
 * served, each letter is sent once, at most one order is an orphan.
 */
static const char story[] = "scenario \"a first certificate, a renewal, a fault of the owner's and its cure\"\n"
			    "clock 2026-12-01T00:00Z seed 31\n"
			    "web 192.0.2.10\n"
			    "dns { example.jp A 192.0.2.10 }\n"
			    "ca { life 160h }\n"
			    "site h1 { names example.jp,www.example.jp ; redirect on }\n"
			    "pass 2h\n"
			    "expect served example.jp == ok\n"
			    "dns { www.example.jp A 192.0.2.10 }\n"
			    "pass 5d\n"
			    "expect served www.example.jp == ok\n"
			    "expect h1 state == ok\n"
			    "expect h1 names == 2\n"
			    "expect h1 findings == 0\n"
			    "expect letters h1 issued == 1\n"
			    "expect letters h1 act == 1\n"
			    "expect letters h1 resolved == 1\n"
			    "expect orders <= 4\n";
#endif
