//! Every command and reply shown in the documents is run: a block marked `sh http` against the service
//! with its sample campaigns, and the `json` block after it is what must come back.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's own functions fail the test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use promo_tests::wallet::Wallet;
use promo_tests::{Service, secrets};
use serde_json::Value;

const ADDRESS: &str = "http://127.0.0.1:8787";

struct Shown {
    file: String,
    command: String,
    reply: Value,
}

fn shown_in(file: &Path) -> Vec<Shown> {
    let text = fs::read_to_string(file).unwrap();
    let mut shown = Vec::new();
    let mut command: Option<String> = None;
    let mut blocks = text.split("\n```");
    blocks.next();
    // Inside, outside, inside, …: every other piece is a block.
    for block in blocks.step_by(2) {
        let (mark, body) = block.split_once('\n').unwrap_or((block, ""));
        match (mark, command.take()) {
            ("sh http", None) => command = Some(body.to_owned()),
            ("json", Some(command)) => {
                let reply = serde_json::from_str(body).unwrap_or_else(|error| {
                    panic!("{}: a reply that is not JSON: {error}\n{body}", file.display())
                });
                shown.push(Shown { file: file.display().to_string(), command, reply });
            }
            (_, None) => {}
            (_, Some(command)) => {
                panic!("{}: no reply is shown for\n{command}", file.display())
            }
        }
    }
    shown
}

#[test]
fn every_command_shown_gives_the_reply_shown() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = vec![root.join("README.md")];
    let docs = fs::read_dir(root.join("docs")).unwrap();
    files.extend(docs.map(|entry| entry.unwrap().path()).filter(|p| p.extension().is_some()));
    files.sort();
    let shown: Vec<Shown> = files.iter().flat_map(|file| shown_in(file)).collect();
    assert!(shown.len() >= 5, "only {} commands found", shown.len());

    let wallet = Wallet::start();
    let service = Service::with().samples().var("WALLET_URL", &wallet.url()).start();
    for Shown { file, command, reply } in shown {
        let command = command.replace(ADDRESS, &service.url()).replace(". ./.dev.vars\n", "");
        let output = Command::new("sh")
            .args(["-euc", &command])
            .env("GOTAB_PROMO_AUTH", secrets::GOTAB_PROMO_AUTH)
            .env("GOTAB_LOYALTY_AUTH", secrets::GOTAB_LOYALTY_AUTH)
            .env("API_AUTH", secrets::API_AUTH)
            .env("ADMIN_TOKEN", secrets::ADMIN_TOKEN)
            .env("WALLET_AUTH", secrets::WALLET_AUTH)
            .current_dir(root)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let came: Value = serde_json::from_str(&said)
            .unwrap_or_else(|error| panic!("{file}: {error}: {said}\nto\n{command}"));
        assert_eq!(came, reply, "{file}: came back (left) to\n{command}");
    }
}
