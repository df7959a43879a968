/* Passkeys: what the browser does between the API's challenge and its answer. A reader who closes the browser's question has refused nothing. */
import type { PasskeyChallenge, PasskeyList, PasskeyOptions } from "gen/api";
import { call } from "./api";

/** As POST /session takes it. */
export type Signed = { credential: string; client_data: string; authenticator_data: string; signature: string };

const ALGORITHMS = [-7, -8, -257]; // COSE: ES256, EdDSA, RS256
const WAIT_MS = 5 * 60_000;

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
	return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}
function textOf(bytes: ArrayBuffer): string {
	return btoa(String.fromCharCode(...new Uint8Array(bytes)))
		.replaceAll("+", "-")
		.replaceAll("/", "_")
		.replace(/=+$/, "");
}

/** This browser can make and use them, at this address. */
export const knowsPasskeys = (): boolean =>
	isSecureContext && "PublicKeyCredential" in window && "getAuthenticatorData" in AuthenticatorAttestationResponse.prototype;

/** null: the reader did not want to, or has none here. */
async function asked(question: Promise<Credential | null>): Promise<PublicKeyCredential | null> {
	try {
		return (await question) as PublicKeyCredential | null;
	} catch (error) {
		if (error instanceof DOMException) return null;
		throw error;
	}
}

export async function signWithPasskey(): Promise<Signed | null> {
	const given = await call<PasskeyChallenge>("POST", "/session/challenge");
	const made = await asked(
		navigator.credentials.get({ publicKey: { challenge: bytesOf(given.challenge), rpId: given.rp_id, userVerification: "required", timeout: WAIT_MS } }),
	);
	if (!made) return null;
	const answer = made.response as AuthenticatorAssertionResponse;
	return {
		credential: textOf(made.rawId),
		client_data: textOf(answer.clientDataJSON),
		authenticator_data: textOf(answer.authenticatorData),
		signature: textOf(answer.signature),
	};
}

export async function makePasskey(name: string, password: string | undefined): Promise<PasskeyList | null> {
	const given = await call<PasskeyOptions>("POST", "/passkeys/options", { password });
	const made = await asked(
		navigator.credentials.create({
			publicKey: {
				challenge: bytesOf(given.challenge),
				rp: { id: given.rp_id, name: given.rp_id },
				user: { id: bytesOf(given.user_handle), name: given.user_name, displayName: given.user_name },
				pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: "public-key", alg })),
				excludeCredentials: given.known.map((id) => ({ type: "public-key", id: bytesOf(id) })),
				authenticatorSelection: { residentKey: "required", userVerification: "required" },
				attestation: "none",
				timeout: WAIT_MS,
			},
		}),
	);
	if (!made) return null;
	const answer = made.response as AuthenticatorAttestationResponse;
	return call<PasskeyList>("POST", "/passkeys", {
		name,
		client_data: textOf(answer.clientDataJSON),
		authenticator_data: textOf(answer.getAuthenticatorData()),
	});
}
