/* Every component in each of its states, for those who build pages; the tests photograph it. */
import type { ComponentChildren } from "preact";
import { Failure } from "../api";
import { ActButton } from "../components/button";
import { EndDates, Gauge, Renewals } from "../components/chart";
import { Copy } from "../components/copy";
import { Field } from "../components/field";
import { LifeBar } from "../components/life";
import { Failed, Notice, Screen, Title } from "../components/screen";
import { Mark, type Tone } from "../components/state";
import { Todo } from "../components/todo";
import { Warned } from "../components/warned";
import { t } from "../words";

const TONES: Tone[] = ["ok", "act", "bad", "run", "idle"];
const DAY_MS = 86400_000;
const inDays = (n: number) => new Date(Date.now() + n * DAY_MS).toISOString();
const DAYS = Array.from({ length: 29 }, (_, i) => ({ days: i, n: 10 + ((i * 7) % 30) }));
const nothing = () => undefined;

function Part({ name, children }: { name: string; children: ComponentChildren }) {
	return (
		<section class="paper" aria-label={name}>
			<h2>
				<code>{name}</code>
			</h2>
			{children}
		</section>
	);
}

export function GalleryPage() {
	return (
		<>
			<Title text={t("gallery.title")} />
			<Part name="state.tsx">
				<p class="row">
					{TONES.map((tone) => (
						<span key={tone} class={`pill is-${tone}`}>
							<Mark tone={tone} />
							<code>{tone}</code>
						</span>
					))}
				</p>
			</Part>
			<Part name="warned.tsx">
				<Warned name="example.jp" />
			</Part>
			<Part name="button.tsx">
				<div class="row">
					<ActButton isFirst act={async () => undefined}>
						{t("set-up.begin")}
					</ActButton>
					<ActButton act={() => Promise.reject(new Failure(null, 0))}>{t("failure.again")}</ActButton>
					<ActButton isFirst worksAt={inDays(0.01)} act={async () => undefined}>
						{t("failure.again")}
					</ActButton>
				</div>
			</Part>
			<Part name="copy.tsx">
				<p class="row">
					<code>203.0.113.10</code>
					<Copy value="203.0.113.10" what={t("check.address")} />
				</p>
			</Part>
			<Part name="field.tsx">
				<Field label={t("login.mail")} value="" set={nothing} />
				<Field label={t("login.mail")} wrong={t("login.mail-wrong")} value="@" set={nothing} />
				<Field lines label={t("ask.text")} hint={t("ask.hint")} value="" set={nothing} />
			</Part>
			<Part name="life.tsx">
				{[
					[-1, 89, 60],
					[-33, 57, 27],
					[-89, 1, null],
				].map(([from, to, renewal]) => (
					<LifeBar key={String(from)} from={inDays(Number(from))} to={inDays(Number(to))} renewal={renewal === null ? null : inDays(Number(renewal))} />
				))}
			</Part>
			<Part name="chart.tsx">
				<EndDates bars={DAYS} soon={7} />
				{[null, 60, 5000].map((limit) => (
					<Renewals key={limit} bars={DAYS} limit={limit} />
				))}
				{[0, 50, 90].map((used) => (
					<Gauge key={used} used={used} of={100} />
				))}
			</Part>
			<Part name="screen.tsx">
				{TONES.map((tone) => (
					<Notice key={tone} tone={tone} title={tone} />
				))}
				<Failed failure={new Failure(null, 0)} again={nothing} />
				<Screen of={{ value: null, failure: null, again: nothing, set: nothing }}>{() => null}</Screen>
			</Part>
			<Part name="todo.tsx">
				<Todo text={`1. ${t("set-up.title")}\n   ${t("gallery.host")}: www\n   ${t("gallery.value")}: 203.0.113.10\n2. ${t("todo.come-back")}`} copy="www.example.jp. 3600 IN A 203.0.113.10">
					<ActButton isFirst act={async () => undefined}>
						{t("failure.again")}
					</ActButton>
				</Todo>
			</Part>
		</>
	);
}
