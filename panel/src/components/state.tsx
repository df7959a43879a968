/* A site's state: never told by colour alone, each has a shape of its own. */
import type { State, Text } from "gen/api";
import { both } from "../words";

export type Tone = "ok" | "act" | "bad" | "run" | "idle";

const SHAPES: Record<Tone, string[]> = {
	ok: ["M20 3a17 17 0 1 0 .01 0z", "M12 21l6 6 11-13"],
	act: ["M20 5L37 34H3z", "M20 16v8M20 29v.5"],
	bad: ["M13 3h14l10 10v14L27 37H13L3 27V13z", "M14 14l12 12M26 14L14 26"],
	run: ["M20 3a17 17 0 1 1-14 7.4", "M20 10v11l7 4"],
	idle: ["M20 3a17 17 0 1 0 .01 0z", "M12 20h16"],
};
const TONES: Record<State, Tone> = {
	expired: "bad",
	broken: "bad",
	issuing: "run",
	act: "act",
	ours: "ok",
	partial: "act",
	"own-ends": "act",
	moved: "idle",
	ok: "ok",
	off: "idle",
};

export const toneOf = (state: State): Tone => TONES[state];

export function Mark({ tone }: { tone: Tone }) {
	return (
		<svg class="mark" viewBox="0 0 40 40" aria-hidden="true">
			{SHAPES[tone].map((d, i) => (
				<path key={i} d={d} stroke-dasharray={tone === "idle" && i === 0 ? "5 5" : undefined} />
			))}
		</svg>
	);
}

export function Pill({ state, text }: { state: State; text: Text }) {
	const tone = toneOf(state);
	return (
		<span class={`pill is-${tone}`}>
			<Mark tone={tone} />
			{both(text)}
		</span>
	);
}
