//! Being told of changes: one connection of the store listens, for all who wait.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_postgres::{AsyncMessage, Client};

use crate::connection::check_server;
use crate::pool::Pool;
use crate::trouble::Trouble;

/// How long nothing is tried after the connection broke.
const PAUSE: Duration = Duration::from_millis(500);

/// How long an answer may take. A connection without one leads nowhere.
const PATIENCE: Duration = Duration::from_secs(5);

/// The ear of a store. It is open from the first wait on.
#[derive(Debug, Default)]
pub(crate) struct Listening {
    wishes: Mutex<Option<mpsc::UnboundedSender<Wish>>>,
}

/// Somebody wants to hear of a host.
struct Wish {
    host: i64,
    bell: oneshot::Sender<Bell>,
}

/// Rings when a host may have changed, and when that could not have been heard. It says whether it was ever heard ringing on the
/// present connection: a pool in between may take the wish to listen and pass nothing on.
pub(crate) type Bell = watch::Receiver<bool>;

type Bells = Arc<Mutex<HashMap<i64, watch::Sender<bool>>>>;

impl Listening {
    /// The bell of a host, which rings from now on. To be called where there is a runtime.
    pub(crate) async fn bell(&self, pool: &Arc<Pool>, host: i64) -> Option<Bell> {
        let (bell, answer) = oneshot::channel();
        self.wishes(pool).send(Wish { host, bell }).ok()?;
        answer.await.ok()
    }

    fn wishes(&self, pool: &Arc<Pool>) -> mpsc::UnboundedSender<Wish> {
        let mut wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || {
            let (sender, receiver) = mpsc::unbounded_channel();
            tokio::spawn(listen(Arc::downgrade(pool), receiver));
            sender
        };
        wishes.get_or_insert_with(open).clone()
    }
}

/// The channel of a host. `NOTIFY` reaches only those who listen to it.
pub(crate) fn channel(host: i64) -> String {
    format!("portlease_{host}")
}

/// Goes on until the store is gone.
async fn listen(pool: std::sync::Weak<Pool>, mut wishes: mpsc::UnboundedReceiver<Wish>) {
    let bells = Bells::default();
    loop {
        let Some(connecting) = pool.upgrade() else {
            return;
        };
        let connected = timeout(PATIENCE, connect(&connecting, &bells)).await;
        drop(connecting);
        match connected {
            Ok(Ok((client, broken))) => {
                ring_all(&bells);
                if !hear(&client, broken, &mut wishes, &bells).await {
                    return;
                }
                ring_all(&bells);
            }
            // Until it works, whoever waits looks by himself now and then.
            Ok(Err(_)) | Err(_) => {
                while let Ok(wish) = wishes.try_recv() {
                    answer(wish, &bells);
                }
            }
        }
        sleep(PAUSE).await;
    }
}

/// Answers wishes until the connection breaks; false when there will be none any more.
async fn hear(
    client: &Client,
    mut broken: oneshot::Receiver<()>,
    wishes: &mut mpsc::UnboundedReceiver<Wish>,
    bells: &Bells,
) -> bool {
    loop {
        let wish = {
            let next = std::pin::pin!(wishes.recv());
            match select(next, &mut broken).await {
                Either::Left((Some(wish), _)) => wish,
                Either::Left((None, _)) => return false,
                Either::Right(_) => return true,
            }
        };
        let is_new = !lock(bells).contains_key(&wish.host);
        if is_new {
            let command = command(wish.host);
            let listened = timeout(PATIENCE, client.batch_execute(&command)).await;
            if !matches!(listened, Ok(Ok(()))) {
                answer(wish, bells);
                return true;
            }
        }
        answer(wish, bells);
    }
}

fn command(host: i64) -> String {
    format!("LISTEN {}", channel(host))
}

fn answer(wish: Wish, bells: &Bells) {
    let mut bells = lock(bells);
    let bell = bells
        .entry(wish.host)
        .or_insert_with(|| watch::channel(false).0);
    // Whoever asked may be gone.
    let _ = wish.bell.send(bell.subscribe());
}

/// Connects, and listens to all that was listened to before.
async fn connect(pool: &Pool, bells: &Bells) -> Result<(Client, oneshot::Receiver<()>), Trouble> {
    let address = &pool.address;
    let (client, mut connection) = address.config.connect(pool.tls().clone()).await?;
    check_server(address, &connection)?;
    let (ending, broken) = oneshot::channel();
    let ringing = Arc::clone(bells);
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(notification) = message {
                ring(&ringing, notification.channel());
            }
        }
        drop(ending);
    });
    let hosts: Vec<i64> = lock(bells).keys().copied().collect();
    let commands: Vec<String> = hosts.into_iter().map(command).collect();
    client.batch_execute(&commands.join("; ")).await?;
    Ok((client, broken))
}

fn ring(bells: &Bells, channel: &str) {
    let host = channel
        .strip_prefix("portlease_")
        .and_then(|host| host.parse().ok());
    if let Some(bell) = host.and_then(|host: i64| lock(bells).get(&host).cloned()) {
        bell.send_replace(true);
    }
}

fn ring_all(bells: &Bells) {
    for bell in lock(bells).values() {
        bell.send_replace(false);
    }
}

fn lock(bells: &Bells) -> MutexGuard<'_, HashMap<i64, watch::Sender<bool>>> {
    bells.lock().unwrap_or_else(PoisonError::into_inner)
}
