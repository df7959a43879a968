/* A page that is not part of the first view: its script comes when it is opened. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure } from "./api";
import { Failed } from "./components/screen";
import { t } from "./words";

export function later<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
	let kept: ComponentType<Props> | null = null;
	return function Later(props: Props) {
		const [Page, setPage] = useState<{ is: ComponentType<Props> | null }>({ is: kept });
		const [isFailed, setFailed] = useState(false);
		const fetchIt = () => {
			setFailed(false);
			load().then(
				(page) => {
					kept = page;
					setPage({ is: page });
				},
				() => setFailed(true),
			);
		};
		useEffect(() => {
			if (!kept) fetchIt();
		}, []);
		if (Page.is) return <Page.is {...props} />;
		return isFailed ? <Failed failure={new Failure(null, 0)} again={fetchIt} /> : <p role="status">{t("screen.loading")}</p>;
	};
}
