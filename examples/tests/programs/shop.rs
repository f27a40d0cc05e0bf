//! A suite of a back end with the emulator.

use std::error::Error;
use std::time::Duration;

use talk_emulator::server::Settings;
use talk_emulator::{Emulator, WebhookDelivery, WebhookKind, WebhookSettings, WebhookState};
use talk_tokio::Timestamp;
use talk_tokio::rest::{Api, ImportedMessage, NewMessage, RestClient, conversation, user};
use tokio::net::TcpListener;

use super::order_back_end::BackEnd;
use super::within;

const KEY: &str = "sk_test_shop";

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// An emulator, the back end under test, and a client that reads the results.
struct Shop {
    emulator: Emulator,
    back_end: BackEnd,
    rest: RestClient,
}

impl Shop {
    async fn open() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let hooks = format!("http://{}/hooks", listener.local_addr()?);
        let settings = Settings {
            secret: Some(KEY.to_owned()),
            webhooks: WebhookSettings::new(hooks),
            ..Settings::default()
        };
        let emulator = Emulator::builder().settings(settings).start().await?;
        let back_end = BackEnd::new(emulator.host(), KEY)?;
        let routes = back_end.routes();
        tokio::spawn(async { axum::serve(listener, routes).await });
        let api = Api::new("shop", KEY)?.host(emulator.host());
        let rest = talk_tokio::rest_client(api)?;
        back_end.open_order("1", "alice", "bob").await?;
        Ok(Self {
            emulator,
            back_end,
            rest,
        })
    }

    async fn ask(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        let question = NewMessage::user("alice".try_into()?, "Where is it?");
        let sent = self.rest.call(conversation("1")?.send([question])?).await?;
        Ok(sent[0].id.as_str().to_owned())
    }

    async fn state(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        let order = self.rest.call(conversation("1")?.get()).await?;
        Ok(order.custom.get("state").unwrap_or_default().to_owned())
    }

    async fn delivered(
        &self,
        attempts: usize,
    ) -> Result<WebhookDelivery, Box<dyn Error + Send + Sync>> {
        let sent = self.emulator.wait_for_webhook(move |it| {
            it.kind == WebhookKind::MessageSent
                && it.state == WebhookState::Delivered
                && it.attempts.len() == attempts
        });
        Ok(within(sent).await?)
    }
}

#[tokio::test]
async fn order_back_end_provisions_and_announces_once() -> Outcome {
    let shop = Shop::open().await?;
    shop.back_end.open_order("1", "alice", "bob").await?;
    let alice = shop.rest.call(user("alice")?.get()).await?;
    assert_eq!(alice.role.as_deref(), Some("buyer"));
    let sent = shop.back_end.payment_received("1").await?;
    assert_eq!(shop.back_end.payment_received("1").await?, sent);
    assert_eq!(shop.emulator.messages("shop", "1").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn order_back_end_imports_history() -> Outcome {
    let shop = Shop::open().await?;
    let start = Timestamp::from_millis(1_577_836_800_000);
    let alice: talk_tokio::UserId = "alice".try_into()?;
    let old = (0..250).map(|i| {
        let at = start + Duration::from_secs(i / 2);
        ImportedMessage::user(alice.clone(), i.to_string(), at)
    });
    let imported = shop.back_end.import_history("1", old.collect()).await?;
    assert_eq!(imported, 250);
    let history = shop.rest.all(conversation("1")?.messages()).await?;
    let texts = history.into_iter().filter_map(|message| message.text);
    assert!(texts.eq((0..250).rev().map(|i| i.to_string())));
    Ok(())
}

#[tokio::test]
async fn order_back_end_handles_each_webhook_once() -> Outcome {
    let shop = Shop::open().await?;
    let question = shop.ask().await?;
    let webhook = shop.delivered(1).await?;
    let order = shop.rest.call(conversation("1")?.get()).await?;
    assert_eq!(order.custom.get("lastQuestion"), Some(&*question));
    assert_eq!(shop.state().await?, "waiting");

    shop.back_end.open_order("1", "alice", "bob").await?;
    shop.emulator.resend_webhook(&webhook.id).await?;
    shop.delivered(2).await?;
    assert_eq!(shop.state().await?, "open");
    Ok(())
}

#[tokio::test]
async fn order_back_end_refuses_other_keys() -> Outcome {
    let shop = Shop::open().await?;
    let mut settings = shop.emulator.settings().await?;
    settings.webhooks.secret = Some("sk_test_other".to_owned());
    shop.emulator.set_settings(settings).await?;
    shop.ask().await?;
    let refused = shop
        .emulator
        .wait_for_webhook(|it| it.kind == WebhookKind::MessageSent && !it.attempts.is_empty());
    assert_eq!(within(refused).await?.attempts[0].status, Some(401));
    assert_eq!(shop.state().await?, "open");
    Ok(())
}

#[tokio::test]
async fn order_back_end_works_after_clock_advances() -> Outcome {
    let shop = Shop::open().await?;
    shop.emulator
        .advance_clock(Duration::from_secs(24 * 3600))
        .await?;
    shop.back_end.payment_received("1").await?;
    shop.ask().await?;
    shop.delivered(1).await?;
    assert_eq!(shop.state().await?, "waiting");
    Ok(())
}
