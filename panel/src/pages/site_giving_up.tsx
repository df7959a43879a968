/* Starting over, giving free SSL up, taking that back, and the file with the key: each says beforehand what it does, and harms nobody. */
import type { Removal, Revocation, Site } from "gen/api";
import { useState } from "preact/hooks";
import { at, call, download } from "../api";
import { ActButton } from "../components/button";
import { Field } from "../components/field";
import { Notice } from "../components/screen";
import { useLoad } from "../load";
import { both, t } from "../words";
import type { Doing } from "./site";

const isGivenUp = (site: Site) => site.setting.source === "none" && site.certificate !== null;

/** At the top of the page while it lasts: the way back. */
export function GivenUp({ page, role, again }: Doing) {
	const { site } = page;
	const removal = useLoad<Removal>(isGivenUp(site) ? at("sites", site.ascii, "removal") : null);
	if (!isGivenUp(site)) return null;
	return (
		<Notice tone="idle" title={t("giving-up.is")}>
			{removal.value && <p class="prose">{both(removal.value.after)}</p>}
			{role !== "support" && (
				<ActButton isFirst act={() => call("DELETE", at("sites", site.ascii, "removal")).then(again)}>
					{t("giving-up.back")}
				</ActButton>
			)}
		</Notice>
	);
}

export function StartOver({ page, again }: Doing) {
	const { site } = page;
	const start = (isNew: boolean) => call("POST", at("sites", site.ascii, "start-over"), { new_certificate: isNew }).then(again);
	return (
		<details>
			<summary>
				<h2>{t("start-over.title")}</h2>
			</summary>
			<div class="stack">
				<p class="prose">{t("start-over.what")}</p>
				<ActButton act={() => start(false)}>{t("start-over.begin")}</ActButton>
				{site.certificate && (
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

const FORMS = ["stop", "off", "destroy"] as const;
type Form = (typeof FORMS)[number];
const REASONS = ["cessation", "key-compromise", "unspecified"] as const;
type Reason = (typeof REASONS)[number];

/** The ways that are left: who has stopped renewals may take SSL off, and any certificate may be given up for good. */
const formsOf = ({ setting, certificate }: Site): Form[] =>
	FORMS.filter((form) => (form === "destroy" ? certificate !== null : setting.source === "free" || (form === "off" && setting.source === "none" && setting.redirect)));

export function GivingUp({ page, again }: Doing) {
	const { site } = page;
	const forms = formsOf(site);
	const removal = useLoad<Removal>(at("sites", site.ascii, "removal"));
	const revocation = useLoad<Revocation>(at("sites", site.ascii, "revocation"));
	const [chosen, setChosen] = useState<Form>("off");
	const [reason, setReason] = useState<Reason>("cessation");
	const [isRead, setRead] = useState(false);
	const [wrong, setWrong] = useState(false);
	const form = forms.includes(chosen) ? chosen : forms[0];
	if (!form) return null;
	const text = form === "destroy" ? revocation.value?.after : form === "stop" ? removal.value?.after_stop : removal.value?.after;
	const choose = (one: Form) => {
		setChosen(one);
		setRead(false);
		setWrong(false);
	};
	const press = async () => {
		setWrong(!isRead);
		if (!isRead) return;
		await (form === "destroy" ? call("POST", at("sites", site.ascii, "revocation"), { reason, understood: true }) : call("POST", `${at("sites", site.ascii, "removal")}?form=${form}`));
		setRead(false);
		again();
	};
	return (
		<details>
			<summary>
				<h2>{t("giving-up.title")}</h2>
			</summary>
			<div class="stack">
				<fieldset class="choices">
					<legend>{t("giving-up.which")}</legend>
					{forms.map((one) => (
						<label key={one}>
							<input type="radio" name="giving-up" checked={form === one} onChange={() => choose(one)} />
							<span>{t(`giving-up.${one}`)}</span>
						</label>
					))}
				</fieldset>
				{text && <p class="prose">{both(text)}</p>}
				{form === "destroy" && (
					<>
						<p class="prose">{t("giving-up.download")}</p>
						<fieldset class="choices">
							<legend>{t("giving-up.reason")}</legend>
							{REASONS.map((one) => (
								<label key={one}>
									<input type="radio" name="reason" checked={reason === one} onChange={() => setReason(one)} />
									<span>{t(`giving-up.reason-${one}`)}</span>
								</label>
							))}
						</fieldset>
					</>
				)}
				<label class="row">
					<input type="checkbox" checked={isRead} aria-invalid={wrong && !isRead ? true : undefined} onChange={(event) => setRead(event.currentTarget.checked)} />
					<span>{t("giving-up.read")}</span>
				</label>
				{wrong && !isRead && (
					<p class="wrong" role="alert">
						{t("giving-up.not-read")}
					</p>
				)}
				<ActButton act={press}>{t(form === "destroy" ? "giving-up.begin-destroy" : form === "stop" ? "giving-up.begin-stop" : "giving-up.begin")}</ActButton>
				<p class="soft">{t("giving-up.harmless")}</p>
			</div>
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
	const [missing, setMissing] = useState(false);
	if (!site.certificate) return null;
	const isMissing = !password || (format === "p12" && !filePassword);
	const press = async () => {
		setMissing(isMissing);
		if (isMissing) return;
		await download(at("sites", site.ascii, "export"), { format, password, ...(format === "p12" ? { file_password: filePassword } : {}) }, `${site.ascii}.${format}`);
		setPassword("");
		setFilePassword("");
	};
	return (
		<details>
			<summary>
				<h2>{t("export.title")}</h2>
			</summary>
			<div class="stack">
				<p class="prose">{t("export.what")}</p>
				<fieldset class="choices">
					<legend class="hidden">{t("export.format")}</legend>
					{(["pem", "p12"] as const).map((one) => (
						<label key={one}>
							<input type="radio" name="format" checked={format === one} onChange={() => setFormat(one)} />
							<span>{t(`export.${one}`)}</span>
						</label>
					))}
				</fieldset>
				<Field label={t("export.password")} type="password" autocomplete="current-password" maxLength={1024} value={password} set={setPassword} wrong={missing && !password ? t("export.password-missing") : undefined} />
				{format === "p12" && (
					<Field label={t("export.file-password")} type="password" autocomplete="new-password" maxLength={1024} value={filePassword} set={setFilePassword} wrong={missing && !filePassword ? t("export.file-password-missing") : undefined} />
				)}
				<ActButton act={press}>{t("export.begin")}</ActButton>
			</div>
		</details>
	);
}
