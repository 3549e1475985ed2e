//! The frame of every page.

use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

use super::session::Session;

/// A page with the menu of whoever is logged in.
pub(super) fn page(title: &str, session: Option<&Session>, content: &Markup) -> Html<String> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · IP-DECT" }
                link rel="stylesheet" href="/style.css";
                script src="/live.js" defer {}
            }
            body {
                header {
                    strong { "IP-DECT" }
                    @if let Some(session) = session {
                        nav {
                            a href="/" { "Status" }
                            a href="/log" { "Call log" }
                            a href="/account" { (session.administrator) }
                            form method="post" action="/logout" {
                                input type="hidden" name="form_key" value=(session.token.form_key());
                                button.quiet type="submit" { "Log out" }
                            }
                        }
                    }
                }
                main { (content) }
            }
        }
    };
    Html(page.into_string())
}

/// A page that says one thing.
pub(super) fn message(title: &str, text: &str) -> Html<String> {
    page(
        title,
        None,
        &html! {
            div.card.narrow { h1 { (title) } p { (text) } p { a href="/" { "To the status page" } } }
        },
    )
}

/// A time span as people say it.
pub(super) fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn spans_are_told_in_two_units_at_most() {
        for (ms, text) in [
            (999, "0 s"),
            (119_000, "119 s"),
            (120_000, "2 min"),
            (7_260_000, "2 h 1 min"),
            (180_000_000, "2 d 2 h"),
        ] {
            assert_eq!(span(ms), text);
        }
    }
}
