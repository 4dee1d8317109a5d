use std::sync::Mutex; //~ 1 error

use mvx_metrics::{HookError, RecorderContext, RecorderHooks};

struct Keeps(Mutex<Option<RecorderContext<'static>>>);

impl RecorderHooks for Keeps {
    async fn on_stopped(&self, recorder: RecorderContext<'_>) -> Result<(), HookError> {
        *self.0.lock().unwrap() = Some(recorder);
        Ok(())
    }
}

fn main() {}
