import { Title } from "../components/screen";
import { t } from "../words";

export function NotHere() {
	return (
		<>
			<Title text={t("not-here.title")} />
			<p>{t("not-here.text")}</p>
			<p>
				<a href="/">{t("not-here.home")}</a>
			</p>
		</>
	);
}
