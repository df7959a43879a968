/* Who is signed in. The cookie is out of reach for scripts; what a change has to bring beside it is kept in memory only. */
import type { Session } from "gen/api";
import { call, get, setCsrf } from "./api";
import { setTimezone } from "./dates";
import type { Signed } from "./passkey";
import { hasChosenLang, setLang } from "./words";

export type Role = Session["person"]["role"];

function take(session: Session): Session {
	setCsrf(session.csrf ?? "");
	setTimezone(session.timezone);
	if (!hasChosenLang()) setLang(session.person.lang, false);
	return session;
}

export const whoIsSignedIn = (): Promise<Session> => get<Session>("/session").then(take);
/** How somebody signs in; code: of the app or a recovery code, where the first answer was that one is needed. */
export type SignIn = ({ mail: string; password: string } | { link: string } | Signed) & ({ code?: string } | Signed);
export const signIn = (by: SignIn): Promise<Session> => call<Session>("POST", "/session", by).then(take);
export const changePassword = (password: string, old_password: string | undefined): Promise<Session> =>
	call<Session>("PUT", "/password", { password, old_password }).then(take);
export const signOut = (): Promise<unknown> => call("DELETE", "/session");

/** Where somebody begins. */
export const homeOf = (role: Role): string => (role === "operator" ? "/operator" : role === "support" ? "/questions" : "/sites");
