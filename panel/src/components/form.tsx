/* A form with one button: what is wrong with what was typed, and what went wrong, stand above it in one place; the button says that it is under way. */
import { createContext, type ComponentChildren } from "preact";
import { useCallback, useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Submit } from "../submit";
import { t } from "../words";
import { Notice } from "./screen";

type Wrong = { id: string; label: string; wrong: string };

const Told = createContext<(id: string, wrong: Wrong | null) => void>(() => undefined);

/** A field tells its form what is wrong with it. */
export function useTold(id: string, label: string, wrong: string | undefined): void {
	const tell = useContext(Told);
	useEffect(() => {
		tell(id, wrong ? { id, label, wrong } : null);
		return () => tell(id, null);
	}, [tell, id, label, wrong]);
}

/** From top to bottom, each with the way to it. */
function Summary({ wrongs }: { wrongs: Wrong[] }) {
	const place = (one: Wrong) => document.getElementById(one.id)?.getBoundingClientRect().top ?? 0;
	return (
		<Notice tone="bad" title={t("form.wrong")}>
			<ul class="wrongs">
				{[...wrongs]
					.sort((a, b) => place(a) - place(b))
					.map((one) => (
						<li key={one.id}>
							<a href={`#${one.id}`} onClick={() => document.getElementById(one.id)?.focus()}>
								{one.label}
							</a>
							: {one.wrong}
						</li>
					))}
			</ul>
		</Notice>
	);
}

const LOOKS = { narrow: "stack narrow-left", wide: "stack", paper: "paper", search: "search" };

type Props = {
	form: Submit;
	submit: () => void;
	button: string;
	look?: keyof typeof LOOKS;
	isFirst?: boolean;
	/** Its first field is what one has come for */
	isFocused?: boolean;
	cancel?: () => void;
	/** Beside the button */
	beside?: ComponentChildren;
	below?: ComponentChildren;
	children?: ComponentChildren;
};

export function Form({ form, submit, button, look = "narrow", isFirst, isFocused, cancel, beside, below, children }: Props) {
	const [wrongs, setWrongs] = useState<Wrong[]>([]);
	const box = useRef<HTMLFormElement>(null);
	const tell = useCallback((id: string, wrong: Wrong | null) => setWrongs((all) => [...all.filter((one) => one.id !== id), ...(wrong ? [wrong] : [])]), []);
	useEffect(() => {
		if (isFocused) box.current?.querySelector("input")?.focus();
	}, []);
	/* Each refusal anew, also where the same field is still wrong. */
	useEffect(() => {
		if (form.refusals > 0) box.current?.querySelector<HTMLElement>("[aria-invalid=true], fieldset[aria-describedby]")?.focus();
	}, [form.refusals]);
	return (
		<form
			class={LOOKS[look]}
			role={look === "search" ? "search" : undefined}
			ref={box}
			noValidate
			onSubmit={(event) => {
				event.preventDefault();
				if (!form.isBusy) submit();
			}}
		>
			{wrongs.length > 0 && <Summary wrongs={wrongs} />}
			{form.failure && <Notice tone="bad" title={form.failure} />}
			<Told.Provider value={tell}>{children}</Told.Provider>
			<div class="row">
				<button class={isFirst ? "first" : ""} aria-disabled={form.isBusy}>
					{form.isBusy ? t("button.busy") : button}
				</button>
				{cancel && (
					<button type="button" class="plain" onClick={cancel}>
						{t("button.cancel")}
					</button>
				)}
				{beside}
			</div>
			{below}
		</form>
	);
}
