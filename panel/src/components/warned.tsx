/* What visitors get instead of the page, drawn with the words of their browser: seen and not only told. */
import { t } from "../words";

export function Warned({ name }: { name: string }) {
	return (
		<figure class="warned">
			<div class="warned-screen">
				<p class="warned-bar">
					<svg viewBox="0 0 24 24" aria-hidden="true">
						<path d="M12 4L22 21H2z" />
						<path d="M12 10v5M12 18v.2" />
					</svg>
					<span>{t("warned.bar")}</span> <span class="soft">{name}</span>
				</p>
				<p class="warned-title">{t("warned.title")}</p>
				<p class="soft">{t("warned.text", name)}</p>
			</div>
			<figcaption class="soft">{t("warned.caption")}</figcaption>
		</figure>
	);
}
