/* Requests to the API. Every failure is a Failure with words for a person: the API's own, or that there was no answer. */
import type { Problem, Site } from "gen/api";
import { lang, t } from "./words";

export class Failure extends Error {
	constructor(
		readonly problem: Problem | null,
		readonly status: number,
		/** Seconds until another try is of use; 0: at once */
		readonly wait_s = 0,
	) {
		super(problem ? problem.detail || problem.title : t("failure.offline"));
	}
	/** Nobody answered: the connection, or the server, is away. */
	get isOffline(): boolean {
		return this.status === 0;
	}
	get isSignedOut(): boolean {
		return this.status === 401;
	}
}

let csrf = "";
let signedOut: () => void = () => undefined;
export function setCsrf(token: string): void {
	csrf = token;
}
export function onSignedOut(callback: () => void): void {
	signedOut = callback;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/*
 * What was sent and never answered may have been done: sent again, it has the same key, and is done once. What was answered is over.
 */
const keys = new Map<string, string>();
function keyOf(sent: string): string {
	const key = keys.get(sent) ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
	keys.set(sent, key);
	return key;
}

/** An answer that is well, or a Failure. */
async function ask(method: Method, path: string, body?: object, headers: Record<string, string> = {}): Promise<Response> {
	let answer: Response;
	const sent = `${path} ${JSON.stringify(body)}`;
	try {
		answer = await fetch(`/api/v1${path}`, {
			method,
			credentials: "same-origin",
			headers: {
				"Accept-Language": lang(),
				...(method === "GET" ? {} : { "X-CSRF-Token": csrf }),
				...(method === "POST" ? { "Idempotency-Key": keyOf(sent) } : {}),
				...(body ? { "Content-Type": "application/json" } : {}),
				...headers,
			},
			body: body ? JSON.stringify(body) : undefined,
		});
	} catch {
		throw new Failure(null, 0);
	}
	if (answer.ok) {
		keys.delete(sent);
		return answer;
	}
	const json: unknown = await answer.json().catch(() => null);
	// A gateway in front may answer without a problem document: then it is as if nobody had.
	const problem = json && typeof json === "object" && "title" in json ? (json as Problem) : null;
	const failure = new Failure(problem, problem ? answer.status : 0, Number(answer.headers.get("Retry-After")) || 0);
	if (problem && answer.status < 500) keys.delete(sent);
	if (failure.isSignedOut && path !== "/session") signedOut();
	throw failure;
}

export async function call<Answer>(method: Method, path: string, body?: object, headers: Record<string, string> = {}): Promise<Answer> {
	const answer = await ask(method, path, body, headers);
	return (await answer.json().catch(() => null)) as Answer;
}

/** Asks for a file and gives it to the browser to keep. */
export async function download(path: string, body: object, name: string): Promise<void> {
	const answer = await ask("POST", path, body);
	const url = URL.createObjectURL(await answer.blob());
	const link = document.createElement("a");
	link.href = url;
	link.download = name;
	link.click();
	URL.revokeObjectURL(url);
}

/** Only if nobody has changed setting, draft or names since the page was read. */
export const expecting = (site: Site): Record<string, string> => ({ "If-Match": site.version });

export const get = <Answer>(path: string): Promise<Answer> => call<Answer>("GET", path);

/** /sites/NAME…, each part escaped. */
export const at = (...parts: Array<string | number>): string => "/" + parts.map((part) => encodeURIComponent(String(part))).join("/");

/** A query of what is given. */
export function query(values: Record<string, string | number | null | undefined>): string {
	const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
	const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
	return search ? `?${search}` : "";
}
