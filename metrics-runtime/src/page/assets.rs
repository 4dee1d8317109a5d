//! The files of the page. They are part of the library, so a program needs no others.

/// A file that a browser loads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asset {
    /// Where the service has it.
    pub(crate) path: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) text: &'static str,
}

/// The page. It names the other files, and the data, relative to its own path: a service that is mounted below a prefix works as well.
pub(crate) static HTML: Asset =
    Asset { path: "/", content_type: "text/html; charset=utf-8", text: include_str!("page.html") };

/// All files.
pub(crate) static ASSETS: [&Asset; 6] = [
    &HTML,
    &Asset {
        path: "/page/page.css",
        content_type: "text/css; charset=utf-8",
        text: include_str!("page.css"),
    },
    &script("/page/page.js", include_str!("page.js")),
    &script("/page/view.js", include_str!("view.js")),
    &script("/page/charts.js", include_str!("charts.js")),
    &script("/page/words.js", include_str!("words.js")),
];

const fn script(path: &'static str, text: &'static str) -> Asset {
    Asset { path, content_type: "text/javascript; charset=utf-8", text }
}

/// The path of the data.
pub(crate) const DATA_PATH: &str = "/page/data";

/// What the page may load: its own files and data, and no script or style that a name of the program could bring in.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pg2_all_files_together_are_below_80_kib() {
        let bytes: usize = ASSETS.iter().map(|asset| asset.text.len()).sum();
        assert!(bytes < 80 * 1024, "{bytes} bytes");
        assert!(ASSETS.iter().all(|asset| !asset.text.is_empty()));
    }

    /// A name of a namespace of XML is no address that a browser loads.
    #[test]
    fn pg2_no_file_names_another_host() {
        for asset in ASSETS {
            let text = asset.text.replace("http://www.w3.org/2000/svg", "");
            for part in ["http:", "https:", "url(//", "\"//", "'//", "`//", "@import", "ws://", "wss://"] {
                assert!(!text.contains(part), "{} has {part}", asset.path);
            }
        }
    }

    /// The Content-Security-Policy refuses these, and they would stay without effect.
    #[test]
    fn pg2_the_page_has_no_script_and_no_style_of_its_own() {
        for part in ["<style", " style=", " onclick=", " onload=", "javascript:"] {
            assert!(!HTML.text.contains(part), "{part}");
        }
        let mut scripts = HTML.text.match_indices("<script").map(|(at, _)| &HTML.text[at..]);
        assert!(scripts.all(|script| script.split('>').nth(1) == Some("</script")));
    }

    /// A service below a prefix has the files where the page looks for them.
    #[test]
    fn pg2_the_page_names_each_file_relative_to_its_own_path() {
        let attributes = ["src=\"", "href=\""].into_iter().flat_map(|name| HTML.text.split(name).skip(1));
        let named: Vec<&str> = attributes.filter_map(|rest| rest.split('"').next()).collect();
        let known = |path: &str| path.starts_with('#') || path == "data:," || is_asset(&format!("/{path}"));
        assert!(named.contains(&"page/page.css") && named.contains(&"page/page.js"), "{named:?}");
        assert!(named.iter().all(|path| known(path)), "{named:?}");
        for script in ASSETS.iter().filter(|asset| asset.content_type.starts_with("text/javascript")) {
            let imports = script.text.split(" from \"").skip(1).filter_map(|rest| rest.split('"').next());
            for import in imports {
                let path = import.strip_prefix("./").map(|name| format!("/page/{name}"));
                assert!(path.is_some_and(|path| is_asset(&path)), "{} imports {import}", script.path);
            }
        }
    }

    fn is_asset(path: &str) -> bool {
        ASSETS.iter().any(|asset| asset.path == path)
    }
}
