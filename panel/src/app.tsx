/* The frame of every page, and which page an address is. */
import type { Session } from "gen/api";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Failure, onSignedOut } from "./api";
import { Failed } from "./components/screen";
import { timezone } from "./dates";
import { later } from "./later";
import { hasLink, LoginPage, WhoseLink } from "./pages/login";
import { NotHere } from "./pages/not_here";
import { SitePage } from "./pages/site";
import { SitesPage } from "./pages/sites";
import { go, useRoute, type Route } from "./route";
import { homeOf, signOut, whoIsSignedIn, type Role } from "./session";
import { lang, onLang, setLang, t, type Key, type Lang } from "./words";

const OperatorPage = later(() => import("./pages/operator").then((module) => module.OperatorPage));
const InboxPage = later(() => import("./pages/inbox").then((module) => module.InboxPage));
const QuestionPage = later(() => import("./pages/inbox").then((module) => module.QuestionPage));
const HelpPage = later(() => import("./pages/help").then((module) => module.HelpPage));
const AuditPage = later(() => import("./pages/audit").then((module) => module.AuditPage));
const StatusPage = later(() => import("./pages/status").then((module) => module.StatusPage));
const AccountPage = later(() => import("./pages/account").then((module) => module.AccountPage));
const ForgottenPage = later(() => import("./pages/forgotten").then((module) => module.ForgottenPage));
const GalleryPage = later(() => import("./pages/gallery").then((module) => module.GalleryPage));

const MENU: Array<{ href: string; key: Key; roles: Role[] }> = [
	{ href: "/operator", key: "menu.operator", roles: ["operator"] },
	{ href: "/sites", key: "menu.sites", roles: ["owner", "support", "operator"] },
	{ href: "/questions", key: "menu.questions", roles: ["support", "operator"] },
	{ href: "/audit", key: "menu.audit", roles: ["operator"] },
	{ href: "/account", key: "menu.account", roles: ["owner", "support", "operator"] },
];

function Logo() {
	return (
		<a class="logo" href="/">
			<svg width="24" height="24" viewBox="0 0 24 24" fill="none" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
				<path d="M20 12a8 8 0 1 1-2.6-5.9" />
				<path d="M20 3v4h-4" />
				<path d="M8.5 12.2l2.4 2.4 4.6-4.8" />
			</svg>
			koshin
		</a>
	);
}

function Frame({ route, session, isWide, leave, children }: { route: Route; session: Session | null; isWide: boolean; leave: () => void; children: ComponentChildren }) {
	const other: Lang = lang() === "ja" ? "en" : "ja";
	const main = useRef<HTMLElement>(null);
	const first = useRef(true);
	// A new page begins at its heading, for those who hear it too.
	useEffect(() => {
		if (!first.current) main.current?.focus({ preventScroll: true });
		first.current = false;
	}, [route.path]);
	return (
		<div class={isWide ? "wide" : ""}>
			<a class="skip" href="#main">
				{t("frame.skip")}
			</a>
			<header class="top">
				<div>
					<Logo />
					{session && (
						<nav aria-label={t("menu.name")}>
							{MENU.filter((item) => item.roles.includes(session.person.role)).map((item) => (
								<a key={item.href} href={item.href} aria-current={route.path.startsWith(item.href) ? "page" : undefined}>
									{t(item.key)}
								</a>
							))}
						</nav>
					)}
					<span class="end">
						<button type="button" class="plain" lang={other} onClick={() => setLang(other, true)}>
							{other === "ja" ? t("frame.to-ja") : t("frame.to-en")}
						</button>
						{session && (
							<button type="button" class="plain" onClick={leave}>
								{t("frame.sign-out")}
							</button>
						)}
					</span>
				</div>
			</header>
			<main id="main" tabIndex={-1} ref={main}>
				{children}
			</main>
			<footer class="foot">
				<p>
					{session && t("frame.timezone", timezone())} <a href="/status">{t("status.title")}</a>
				</p>
			</footer>
		</div>
	);
}

function pageOf(route: Route, session: Session, setSession: (session: Session) => void) {
	const [first, second, third] = route.parts;
	const role = session.person.role;
	if (first === "sites" && second === undefined) return <SitesPage route={route} role={role} />;
	if (first === "sites" && second !== undefined && third === undefined) return <SitePage key={second} name={second} role={role} />;
	if (first === "account" && second === undefined) return <AccountPage session={session} setSession={setSession} />;
	if (first === "questions" && role !== "owner") return second === undefined ? <InboxPage route={route} /> : <QuestionPage key={second} id={second} />;
	if (first === "audit" && second === undefined && role === "operator") return <AuditPage route={route} />;
	if (first === "operator" && second === undefined && role === "operator") return <OperatorPage />;
	return <NotHere />;
}

export function App() {
	const route = useRoute();
	const [, draw] = useState(0);
	/* undefined: not known yet; null: nobody */
	const [session, setSession] = useState<Session | null | undefined>(undefined);
	const [failure, setFailure] = useState<Failure | null>(null);
	const [isByLink, setByLink] = useState(hasLink);
	const signedIn = (by: Session) => {
		setByLink(false);
		setSession(by);
	};
	const look = () => {
		setFailure(null);
		whoIsSignedIn().then(setSession, (error: unknown) => {
			if (!(error instanceof Failure)) throw error;
			if (error.isSignedOut) setSession(null);
			else setFailure(error);
		});
	};
	useEffect(() => {
		onLang(() => draw((n) => n + 1));
		onSignedOut(() => setSession(null));
		look();
	}, []);
	const isPublic = ["help", "gallery", "status"].includes(route.parts[0] ?? "");
	const home = session && !isByLink && (route.path === "/" || route.path === "/login") ? homeOf(session.person.role) : null;
	useEffect(() => {
		if (home) go(home, true);
	}, [home]);
	const leave = () => {
		// Signed out here, whatever the server says: a session that it does not know any more has ended as well.
		signOut().then(
			() => setSession(null),
			() => look(),
		);
		go("/login");
	};
	return (
		<Frame route={route} session={session ?? null} isWide={route.parts[0] === "operator"} leave={leave}>
			{route.parts[0] === "help" ? (
				<HelpPage id={route.parts[1]} site={session ? route.query.get("site") : null} />
			) : route.parts[0] === "gallery" ? (
				<GalleryPage />
			) : route.parts[0] === "status" ? (
				<StatusPage />
			) : failure ? (
				<Failed failure={failure} again={look} />
			) : session === null && route.path === "/forgotten" ? (
				<ForgottenPage />
			) : session === null ? (
				<LoginPage setSession={signedIn} />
			) : session && isByLink ? (
				<WhoseLink mail={session.person.mail} follow={() => setSession(null)} stay={() => setByLink(false)} />
			) : session && !home ? (
				pageOf(route, session, setSession)
			) : (
				!isPublic && <p role="status">{t("screen.loading")}</p>
			)}
		</Frame>
	);
}
