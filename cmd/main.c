#include "cmd/cmd.h"

static const struct command commands[] = {
	{ "serve", cmd_serve, "", 0, 0, "  koshin serve -c /etc/koshin/koshin.yaml\n",
	    { { NULL, NULL } } },
	{ "site add", cmd_site_add, "NAME[,NAME...]", 1, 1,
	    "  koshin site add example.jp --owner hanako@example.jp --root /srv/example.jp "
	    "--wait\n"
	    "  koshin site add 日本語.jp --owner hanako@example.jp --proxy "
	    "http://127.0.0.1:3000 --redirect\n",
	    { { "owner", "MAIL" }, { "coverage", "multi|single|list" }, { "root", "DIR" },
		{ "proxy", "URL" }, { "key-type", "p256|p384|rsa2048|rsa3072|rsa4096" },
		{ "profile", "NAME" }, { "source", "free|none" }, { "redirect", NULL }, { "owner-lang", "ja|en" }, { "wait", NULL } } },
	{ "site list", cmd_site_list, "[PART]", 0, 1,
	    "  koshin site list\n"
	    "  koshin site list shop --json --limit 50\n"
	    "  koshin site list --show owner\n",
	    { { "show", "owner|progress|fine|urgent" }, { "cause", "ID" }, { "owner", "MAIL" }, { "limit", "N" }, { "after", "NAME" } } },
	{ "site show", cmd_site_show, "NAME", 1, 1,
	    "  koshin site show example.jp\n"
	    "  koshin site show www.example.jp --json\n",
	    { { NULL, NULL } } },
	{ "site history", cmd_site_history, "NAME", 1, 1,
	    "  koshin site history example.jp --limit 20\n",
	    { { "limit", "N" }, { "letters", NULL } } },
	{ "site set", cmd_site_set, "NAME", 1, 1,
	    "  koshin site set example.jp --redirect on\n"
	    "  koshin site set example.jp --key-type p384 --draft\n"
	    "  koshin site set example.jp --apply-draft\n",
	    { { "redirect", "on|off" }, { "hsts", "on|off" },
		{ "coverage", "multi|single|list" },
		{ "key-type", "p256|p384|rsa2048|rsa3072|rsa4096" }, { "root", "DIR" },
		{ "proxy", "URL" }, { "profile", "NAME" }, { "names", "NAME[,NAME...]" }, { "source", "free|none" }, { "takeover", "on|off" },
		{ "draft", NULL }, { "discard-draft", NULL }, { "apply-draft", NULL } } },
	{ "site suspend", cmd_site_suspend, "NAME", 1, 1, "  koshin site suspend example.jp\n", { { "renewals-only", NULL } } },
	{ "site resume", cmd_site_resume, "NAME", 1, 1, "  koshin site resume example.jp\n", { { NULL, NULL } } },
	{ "site start-over", cmd_site_start_over, "NAME", 1, 1,
	    "  koshin site start-over example.jp\n"
	    "  koshin site start-over example.jp --new-certificate\n",
	    { { "new-certificate", NULL } } },
	{ "site remove", cmd_site_remove, "NAME", 1, 1,
	    "  koshin site remove example.jp --yes\n", { { "yes", NULL } } },
	{ "renew", cmd_renew, "NAME...", 0, CMD_ARGS_MAX,
	    "  koshin renew example.jp --wait\n"
	    "  koshin renew --due\n",
	    { { "due", NULL }, { "wait", NULL } } },
	{ "check", cmd_check, "NAME", 1, 1,
	    "  koshin check example.jp\n"
	    "  koshin check www.example.jp --json\n"
	    "  koshin check example.jp --visitor NET::ERR_CERT_DATE_INVALID\n",
	    { { "visitor", "WORDS" } } },
	{ "causes", cmd_causes, "[ID]", 0, 1,
	    "  koshin causes\n"
	    "  koshin causes dns.a.elsewhere --lang en\n"
	    "  koshin causes --unknown\n",
	    { { "unknown", NULL } } },
	{ "user add", cmd_user_add, "MAIL", 1, 1, "  koshin user add suzuki@host.example --role support\n  koshin user add sato@example.jp --role owner --owner info@example.jp\n",
	    { { "role", "owner|support|operator" }, { "owner", "MAIL" }, { "name", "NAME" }, { "user-lang", "ja|en" } } },
	{ "user set", cmd_user_set, "MAIL", 1, 1, "  koshin user set suzuki@host.example --user-lang en\n  koshin user set suzuki@host.example --mail suzuki2@host.example --role operator\n",
	    { { "mail", "MAIL" }, { "name", "NAME" }, { "user-lang", "ja|en" }, { "role", "owner|support|operator" }, { "owner", "MAIL" } } },
	{ "user invite", cmd_user_invite, "MAIL", 1, 1, "  koshin user invite suzuki@host.example --role support\n",
	    { { "role", "owner|support|operator" }, { "owner", "MAIL" }, { "name", "NAME" }, { "user-lang", "ja|en" } } },
	{ "user token", cmd_user_token, "MAIL", 1, 1,
	    "  koshin user token suzuki@host.example\n"
	    "  koshin user token suzuki@host.example --add backup --scopes sites.read,me.read --days 30\n"
	    "  koshin user token suzuki@host.example --revoke 3\n",
	    { { "add", "NAME" }, { "scopes", "SCOPE[,SCOPE...]" }, { "days", "N" }, { "revoke", "NUMBER" } } },
	{ "user list", cmd_user_list, "", 0, 0, "  koshin user list\n", { { NULL, NULL } } },
	{ "user password", cmd_user_password, "MAIL", 1, 1, "  koshin user password suzuki@host.example < password.txt\n", { { NULL, NULL } } },
	{ "user login-link", cmd_user_link, "MAIL", 1, 1, "  koshin user login-link suzuki@host.example\n", { { NULL, NULL } } },
	{ "user reset-codes", cmd_user_reset_codes, "MAIL", 1, 1, "  koshin user reset-codes suzuki@host.example\n", { { NULL, NULL } } },
	{ "user remove", cmd_user_remove, "MAIL", 1, 1, "  koshin user remove suzuki@host.example\n", { { NULL, NULL } } },
	{ "question list", cmd_question_list, "", 0, 0, "  koshin question list\n", { { "all", NULL } } },
	{ "question show", cmd_question_show, "NUMBER", 1, 1, "  koshin question show 12\n", { { NULL, NULL } } },
	{ "question answer", cmd_question_answer, "NUMBER", 1, 1, "  koshin question answer 12 --by Suzuki < answer.txt\n", { { "by", "NAME" } } },
	{ "question close", cmd_question_close, "NUMBER", 1, 1, "  koshin question close 12\n", { { NULL, NULL } } },
	{ "overview", cmd_overview, "", 0, 0, "  koshin overview\n  koshin overview --json\n", { { NULL, NULL } } },
	{ "alarms", cmd_alarms, "", 0, 0, "  koshin alarms || mail -s alarm root < /dev/null\n", { { NULL, NULL } } },
	{ "letters", cmd_letters, "", 0, 0, "  koshin letters --limit 20\n", { { "limit", "N" }, { "before", "NUMBER" } } },
	{ "status", cmd_status, "", 0, 0, "  koshin status --lang ja\n", { { NULL, NULL } } },
	{ "mail receive", cmd_mail_receive, "", 0, 0, "  koshin mail receive < mail.eml\n", { { NULL, NULL } } },
	{ "cert show", cmd_cert_show, "NAME", 1, 1, "  koshin cert show example.jp\n",
	    { { NULL, NULL } } },
	{ "cert check", cmd_cert_check, "FILE", 1, 1,
	    "  koshin cert check bought.pem --for example.jp,www.example.jp --out chain.pem\n"
	    "  koshin cert check bought.p12 --for example.jp --password-file pass.txt\n",
	    { { "for", "NAME[,NAME...]" }, { "password-file", "FILE" }, { "out", "FILE" } } },
	{ "cert request", cmd_cert_request, "NAME", 1, 1,
	    "  koshin cert request example.jp --organization \"Example K.K.\" --country JP --out example.jp.csr\n"
	    "  koshin cert request example.jp --list\n",
	    { { "organization", "NAME" }, { "locality", "NAME" }, { "state", "NAME" }, { "country", "XX" }, { "key-type", "rsa2048|p256" },
		{ "out", "FILE" }, { "list", NULL }, { "discard", "N" } } },
	{ "cert import", cmd_cert_import, "NAME FILE...", 2, CMD_ARGS_MAX,
	    "  koshin cert import example.jp bought.crt chain.crt --takeover --wait\n"
	    "  koshin cert import example.jp bought.p12 --password-file pass.txt\n"
	    "  koshin cert import example.jp bought.crt --check\n",
	    { { "password-file", "FILE" }, { "takeover", NULL }, { "check", NULL }, { "wait", NULL } } },
	{ "cert export", cmd_cert_export, "NAME", 1, 1,
	    "  koshin cert export example.jp > chain.pem\n"
	    "  koshin cert export example.jp --key --out example.jp.key\n"
	    "  koshin cert export example.jp --p12 --password-file pass.txt --out example.jp.p12\n",
	    { { "key", NULL }, { "p12", NULL }, { "password-file", "FILE" }, { "out", "FILE" } } },
	{ "cert revoke", cmd_cert_revoke, "NAME", 1, 1,
	    "  koshin cert revoke example.jp\n"
	    "  koshin cert revoke example.jp --reason key-compromise --yes\n",
	    { { "reason", "cessation|key-compromise|unspecified" }, { "yes", NULL } } },
	{ "ca add", cmd_ca_add, "NAME", 1, 1,
	    "  koshin ca add second --directory https://ca.example/acme/directory\n"
	    "  koshin ca add second --directory https://ca.example/acme/directory "
	    "--eab-kid ID --eab-hmac-file hmac.txt\n",
	    { { "directory", "URL" }, { "contact", "MAIL" }, { "root", "FILE" }, { "eab-kid", "ID" },
		{ "eab-hmac-file", "FILE" } } },
	{ "ca rollover", cmd_ca_rollover, "NAME", 1, 1, "  koshin ca rollover letsencrypt\n",
	    { { NULL, NULL } } },
	{ "ca list", cmd_ca_list, "", 0, 0, "  koshin ca list --json\n", { { NULL, NULL } } },
	{ "ca limits", cmd_ca_limits, "", 0, 0, "  koshin ca limits\n  koshin ca limits --json\n", { { NULL, NULL } } },
	{ "ca resume", cmd_ca_resume, "NAME...", 1, CMD_ARGS_MAX, "  koshin ca resume www.example.jp\n", { { NULL, NULL } } },
	{ "ca unblock", cmd_ca_unblock, "NAME", 1, 1, "  koshin ca unblock letsencrypt\n", { { NULL, NULL } } },
	{ "ca test", cmd_ca_test, "[NAME]", 0, 1, "  koshin ca test\n", { { NULL, NULL } } },
	{ "doctor", cmd_doctor, "", 0, 0,
	    "  koshin doctor\n"
	    "  koshin doctor --json\n",
	    { { NULL, NULL } } },
	{ "watch", cmd_watch, "", 0, 0,
	    "  koshin watch -c /etc/koshin/koshin.yaml\n"
	    "  koshin watch --once --json\n",
	    { { "once", NULL } } },
	{ "vantage key", cmd_vantage_key, "", 0, 0, "  koshin vantage key\n  koshin vantage key --json\n", { { NULL, NULL } } },
	{ "vantage test", cmd_vantage_test, "", 0, 0, "  koshin vantage test\n  koshin vantage test --json\n", { { NULL, NULL } } },
	{ "vantage", cmd_vantage, "", 0, 0, "  koshin vantage -c /etc/koshin/vantage.yaml\n", { { NULL, NULL } } },
	{ "config check", cmd_config_check, "", 0, 0,
	    "  koshin config check -c /etc/koshin/koshin.yaml\n", { { NULL, NULL } } },
	{ "simulate", cmd_simulate, "FILE...", 0, CMD_ARGS_MAX,
	    "  koshin simulate test/scen/05-ignored-letter.scn\n"
	    "  koshin simulate --sites 1000 --years 2 --seeds 1-200 --faults\n"
	    "  koshin simulate --serve-ca --listen 127.0.0.1:14000 --control 127.0.0.1:14001\n",
	    { { "serve-ca", NULL }, { "listen", "ADDRESS:PORT[,...]" }, { "control", "ADDRESS:PORT" },
		{ "folder", "DIR" }, { "sites", "N" }, { "years", "N" }, { "seeds", "FIRST-LAST" },
		{ "faults", NULL }, { "jobs", "N" }, { "trace", "N" } } },
	{ NULL, NULL, NULL, 0, 0, NULL, { { NULL, NULL } } },
};

int
main(int argc, char **argv)
{
	return cmd_main(commands, argc, argv);
}
