/* API tokens, for programs: what each may do is ticked, and its secret is shown once. */
import type { MadeToken, TokenList } from "gen/api";
import { useId, useState } from "preact/hooks";
import { at, call } from "../../api";
import { Copy } from "../../components/copy";
import { Choices, Field } from "../../components/field";
import { Form } from "../../components/form";
import { Notice, Screen } from "../../components/screen";
import { SureButton } from "../../components/sure";
import { day, moment } from "../../dates";
import { useLoad } from "../../load";
import type { Role } from "../../session";
import { judge, line, most, needed } from "../../rules";
import { useSubmit } from "../../submit";
import { t, type Key } from "../../words";

type Scope = { scope: string; key: Key; roles: Role[] };
const ALL: Role[] = ["owner", "support", "operator"];
const SCOPES: Scope[] = [
	{ scope: "sites.read", key: "scope.sites.read", roles: ALL },
	{ scope: "sites.check", key: "scope.sites.check", roles: ALL },
	{ scope: "sites.write", key: "scope.sites.write", roles: ["owner", "operator"] },
	{ scope: "questions.read", key: "scope.questions.read", roles: ALL },
	{ scope: "questions.write", key: "scope.questions.write", roles: ALL },
	{ scope: "me.read", key: "scope.me.read", roles: ALL },
	{ scope: "people.read", key: "scope.people.read", roles: ["owner", "operator"] },
	{ scope: "people.write", key: "scope.people.write", roles: ["owner", "operator"] },
	{ scope: "people.link", key: "scope.people.link", roles: ["operator"] },
	{ scope: "operator.read", key: "scope.operator.read", roles: ["operator"] },
];
/** A scope that this version of the panel does not know stands for itself. */
function wordsOf(scope: string): string {
	const known = SCOPES.find((one) => one.scope === scope);
	return known ? t(known.key) : scope;
}
const DAYS = [30, 90, 366];
const NAME_MAX = 100;

/** What failed may have been done all the same: `failed` looks again. */
type New = { role: Role; made: (token: MadeToken) => void; failed: () => void; cancel: () => void };

function NewToken({ role, made, failed, cancel }: New) {
	const [name, setName] = useState("");
	const [scopes, setScopes] = useState<string[]>(["sites.read"]);
	const [days, setDays] = useState(90);
	const form = useSubmit();
	const id = useId();
	const submit = () => {
		const wrongs = { name: judge(name, needed("tokens.name-missing"), most(NAME_MAX), line), scopes: scopes.length > 0 ? undefined : t("tokens.scopes-missing") };
		const make = () => call<MadeToken>("POST", "/tokens", { name: name.trim(), scopes, days }).then(made);
		void form.run(make, wrongs).then((isDone) => isDone || failed());
	};
	const turn = (scope: string, isOn: boolean) => setScopes(isOn ? [...scopes, scope] : scopes.filter((one) => one !== scope));
	return (
		<Form form={form} submit={submit} button={t("tokens.make")} cancel={cancel}>
			<Field label={t("tokens.name")} hint={t("tokens.name-hint")} value={name} set={setName} wrong={form.wrong.name} />
			<Choices legend={t("tokens.scopes")} wrong={form.wrong.scopes}>
				{SCOPES.filter((one) => one.roles.includes(role)).map((one) => (
					<label key={one.scope}>
						<input type="checkbox" name="scopes" checked={scopes.includes(one.scope)} onChange={(event) => turn(one.scope, event.currentTarget.checked)} />
						{t(one.key)}
						<small>
							<code>{one.scope}</code>
						</small>
					</label>
				))}
			</Choices>
			<div class="field">
				<label for={`${id}-days`}>{t("tokens.days")}</label>
				<select id={`${id}-days`} name="days" value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
					{DAYS.map((n) => (
						<option key={n} value={n}>
							{t("unit.day.many", n)}
						</option>
					))}
				</select>
			</div>
		</Form>
	);
}

function Made({ token, done }: { token: MadeToken; done: () => void }) {
	return (
		<Notice tone="act" title={t("tokens.made", token.name)}>
			<p>{t("tokens.once")}</p>
			<div class="row">
				<code>{token.token}</code>
				<Copy value={token.token} what={t("tokens.token")} />
			</div>
			<div>
				<button type="button" onClick={done}>
					{t("codes.kept")}
				</button>
			</div>
		</Notice>
	);
}

export function Tokens({ role }: { role: Role }) {
	const tokens = useLoad<TokenList>("/tokens");
	const [isNew, setNew] = useState(false);
	const [made, setMade] = useState<MadeToken | null>(null);
	const take = (token: MadeToken) => {
		setMade(token);
		setNew(false);
		tokens.again();
	};
	return (
		<section class="paper" aria-labelledby="tokens">
			<h2 id="tokens">{t("tokens.title")}</h2>
			<p class="soft">{t("tokens.more")}</p>
			{made && <Made token={made} done={() => setMade(null)} />}
			<Screen of={tokens}>
				{(value) =>
					value.tokens.length > 0 && (
						<ul class="rows">
							{value.tokens.map((token) => (
								<li key={token.id}>
									<div>
										<strong>{token.name}</strong>
										<ul class="marks">
											{token.scopes.map((scope) => (
												<li key={scope}>{wordsOf(scope)}</li>
											))}
										</ul>
										<p class="soft">
											{token.used_at ? t("tokens.used", moment(token.used_at)) : t("tokens.unused")} {token.ends_at && t("tokens.ends", day(token.ends_at))}
										</p>
									</div>
									<SureButton
										words={t("tokens.revoke")}
										consequence={t("tokens.revoke-more")}
										act={() => call<TokenList>("DELETE", at("tokens", token.id)).then(tokens.set)}
									/>
								</li>
							))}
						</ul>
					)
				}
			</Screen>
			{isNew ? (
				<NewToken role={role} made={take} failed={tokens.again} cancel={() => setNew(false)} />
			) : (
				<div>
					<button type="button" onClick={() => setNew(true)}>
						{t("tokens.new")}
					</button>
				</div>
			)}
		</section>
	);
}
