/* Starting over, giving free SSL up, taking that back, and the file with the key: each says beforehand what it does, and harms nobody. */
import type { OwnRedirect, Removal, Revocation, Site } from "gen/api";
import { useEffect, useState } from "preact/hooks";
import { at, call, download, expecting } from "../api";
import { ActButton } from "../components/button";
import { Choices, Field, Tick } from "../components/field";
import { Form } from "../components/form";
import { Notice } from "../components/screen";
import { useLoad } from "../load";
import { mostBytes, PASSWORD_MAX, wrongPassword } from "../rules";
import { useSubmit } from "../submit";
import { both, t } from "../words";
import type { Doing } from "./site";

const isGivenUp = (site: Site) => site.setting.source === "none" && site.certificate !== null;

/** The site itself sends its visitors to https: what becomes of them, and what to change first. */
function Leads({ own, site, again }: { own: OwnRedirect | null | undefined; site: Site; again: () => void }) {
	if (!own) return null;
	return (
		<Notice tone="act" title={t("giving-up.own-redirect")}>
			<p class="prose">{both(own.words)}</p>
			<ActButton act={() => call("POST", at("sites", site.ascii, "check")).finally(again)}>{t("giving-up.own-redirect-look")}</ActButton>
		</Notice>
	);
}

/** What is said of giving up tells what the last check saw: after each it is read anew. */
function useChecked<T>(path: string | null, site: Site) {
	const loaded = useLoad<T>(path);
	useEffect(() => loaded.again(), [site.checked_at]);
	return loaded;
}

/** At the top of the page while it lasts: the way back. */
export function GivenUp({ page, role, again }: Doing) {
	const { site } = page;
	const removal = useChecked<Removal>(isGivenUp(site) ? at("sites", site.ascii, "removal") : null, site);
	if (!isGivenUp(site)) return null;
	return (
		<>
			<Notice tone="idle" title={t("giving-up.is")}>
				{removal.value && <p class="prose">{both(removal.value.after)}</p>}
				{role !== "support" && !(role === "owner" && removal.value?.is_suspended) && (
					<ActButton isFirst act={() => call("DELETE", at("sites", site.ascii, "removal")).finally(again)}>
						{t("giving-up.back")}
					</ActButton>
				)}
			</Notice>
			<Leads own={removal.value?.own_redirect} site={site} again={again} />
		</>
	);
}

export function StartOver({ page, again }: Doing) {
	const { site } = page;
	const start = (isNew: boolean) => call("POST", at("sites", site.ascii, "start-over"), { new_certificate: isNew }).finally(again);
	return (
		<details>
			<summary>
				<h2>{t("start-over.title")}</h2>
			</summary>
			<div class="stack">
				<p class="prose">{t("start-over.what")}</p>
				<ActButton act={() => start(false)}>{t("start-over.begin")}</ActButton>
				{site.certificate && site.setting.source === "free" && (
					<>
						<p class="prose">{t("start-over.new-what")}</p>
						<ActButton act={() => start(true)} worksAt={site.retry_at}>
							{t("start-over.new")}
						</ActButton>
					</>
				)}
			</div>
		</details>
	);
}

const HOWS = ["stop", "off", "destroy"] as const;
type How = (typeof HOWS)[number];
const REASONS = ["cessation", "key-compromise", "unspecified"] as const;
type Reason = (typeof REASONS)[number];

/** The ways that are left: who has stopped renewals may take SSL off, and any certificate may be given up for good. */
const formsOf = ({ setting, certificate }: Site): How[] =>
	HOWS.filter((form) => (form === "destroy" ? certificate !== null : setting.source === "free" || (form === "off" && setting.source === "none" && setting.redirect)));

export function GivingUp({ page, again }: Doing) {
	const { site } = page;
	const forms = formsOf(site);
	const removal = useChecked<Removal>(at("sites", site.ascii, "removal"), site);
	const revocation = useChecked<Revocation>(at("sites", site.ascii, "revocation"), site);
	const [chosen, setChosen] = useState<How>("off");
	const [reason, setReason] = useState<Reason>("cessation");
	const [read, setRead] = useState<How | null>(null);
	const form = useSubmit();
	const how = forms.includes(chosen) ? chosen : forms[0];
	if (!how) return null;
	const text = how === "destroy" ? revocation.value?.after : how === "stop" ? removal.value?.after_stop : removal.value?.after;
	const own = how === "destroy" ? revocation.value?.own_redirect : removal.value?.own_redirect;
	/* Of one way nothing is taken for read that was said of another, also where the one that was chosen is gone by now. */
	const isRead = read === how;
	const choose = (one: How) => {
		setChosen(one);
		setRead(null);
	};
	const give = () => (how === "destroy" ? call("POST", at("sites", site.ascii, "revocation"), { reason, understood: true }, expecting(site)) : call("POST", `${at("sites", site.ascii, "removal")}?form=${how}`, undefined, expecting(site)));
	const submit = async () => {
		const isDone = await form.run(give, { read: isRead ? undefined : t("giving-up.not-read") });
		if (isDone) setRead(null);
		/* What was not answered may have been done all the same. */
		again();
	};
	return (
		<details>
			<summary>
				<h2>{t("giving-up.title")}</h2>
			</summary>
			<Form form={form} submit={submit} button={t(how === "destroy" ? "giving-up.begin-destroy" : how === "stop" ? "giving-up.begin-stop" : "giving-up.begin")} look="wide" below={<p class="soft">{t("giving-up.harmless")}</p>}>
				<Choices legend={t("giving-up.which")}>
					{forms.map((one) => (
						<label key={one}>
							<input type="radio" name="giving-up" checked={how === one} onChange={() => choose(one)} />
							<span>{t(`giving-up.${one}`)}</span>
						</label>
					))}
				</Choices>
				{text && <p class="prose">{both(text)}</p>}
				<Leads own={own} site={site} again={again} />
				{how === "destroy" && (
					<>
						<p class="prose">{t("giving-up.download")}</p>
						<Choices legend={t("giving-up.reason")}>
							{REASONS.map((one) => (
								<label key={one}>
									<input type="radio" name="reason" checked={reason === one} onChange={() => setReason(one)} />
									<span>{t(`giving-up.reason-${one}`)}</span>
								</label>
							))}
						</Choices>
					</>
				)}
				<Tick name="read" isOn={isRead} set={(is) => setRead(is ? how : null)} wrong={form.wrong.read}>
					{t("giving-up.read")}
				</Tick>
			</Form>
		</details>
	);
}

type Format = "pem" | "p12";

/** For servers elsewhere: key, certificate and chain in one file, after the password was given again. */
export function Export({ page }: Doing) {
	const { site } = page;
	const [format, setFormat] = useState<Format>("pem");
	const [password, setPassword] = useState("");
	const [filePassword, setFilePassword] = useState("");
	const form = useSubmit();
	if (!site.certificate) return null;
	const submit = async () => {
		const body = { format, password, ...(format === "p12" ? { file_password: filePassword } : {}) };
		const wrongs = {
			password: wrongPassword(password, "export.password-missing"),
			file: format === "p12" ? (filePassword ? mostBytes(PASSWORD_MAX)(filePassword) : t("export.file-password-missing")) : undefined,
		};
		if (!(await form.run(() => download(at("sites", site.ascii, "export"), body, `${site.ascii}.${format}`), wrongs, { DENIED: "password", INVALID: "file" }))) return;
		setPassword("");
		setFilePassword("");
	};
	return (
		<details>
			<summary>
				<h2>{t("export.title")}</h2>
			</summary>
			<Form form={form} submit={submit} button={t("export.begin")}>
				<p class="prose">{t("export.what")}</p>
				<Choices legend={t("export.format")} isHidden>
					{(["pem", "p12"] as const).map((one) => (
						<label key={one}>
							<input type="radio" name="format" checked={format === one} onChange={() => setFormat(one)} />
							<span>{t(`export.${one}`)}</span>
						</label>
					))}
				</Choices>
				<Field label={t("export.password")} type="password" autocomplete="current-password" value={password} set={setPassword} wrong={form.wrong.password} />
				{format === "p12" && (
					<Field label={t("export.file-password")} type="password" autocomplete="new-password" value={filePassword} set={setFilePassword} wrong={form.wrong.file} />
				)}
			</Form>
		</details>
	);
}
