"""Evidence of consent that is not whole: what a row of `app` is changed to, which the database
refuses."""

INCOMPLETE = {
    "app without a level": "level = NULL",
    "app beside a worker": "worker_id = id",
    "a code read out to nobody": "kind = 'code_read_out'",
    "a code read out with a card": "kind = 'code_read_out', worker_id = id, level = 'card_pin'",
    "a card with a code": "kind = 'card_pin_on_workers_screen', worker_id = id",
    "a card on no screen": "kind = 'card_pin_on_workers_screen', level = 'card_pin'",
    "a phone's yes by a code": "kind = 'phone_confirmed_on_workers_screen', worker_id = id",
    "a phone's yes by a card": "kind = 'phone_confirmed_on_workers_screen', worker_id = id,"
    " level = 'card_pin'",
    "a phone's yes on no screen": "kind = 'phone_confirmed_on_workers_screen',"
    " level = 'phone_confirmed'",
    "a phone's yes beside nobody": "level = 'phone_confirmed'",
    "a card by a phone's yes": "kind = 'card_pin_on_workers_screen', worker_id = id,"
    " level = 'phone_confirmed'",
    "a mandate without paper": "kind = 'signed_mandate', worker_id = id, level = NULL,"
    " channel = 'paper'",
    "a mandate by the pages": "kind = 'signed_mandate', worker_id = id, level = NULL,"
    " mandate_id = id",
    "spoken to nobody": "kind = 'spoken', worker_id = id",
    "spoken, heard by nobody named": "kind = 'spoken', worker_id = id, heard_by = 'witness'",
    "spoken, heard by the worker": "kind = 'spoken', worker_id = id, heard_by = 'witness',"
    " worker_tag = template_hash, heard_by_tag = template_hash",
    "spoken, heard in another role": "kind = 'spoken', worker_id = id, heard_by = 'worker',"
    " worker_tag = template_hash, heard_by_tag = wording_hash",
    "spoken without a session": "kind = 'spoken', worker_id = id, heard_by = 'witness',"
    " worker_tag = template_hash, heard_by_tag = wording_hash, level = NULL",
    "another kind": "kind = 'nod'",
    "another level": "level = 'none'",
    "another channel": "channel = 'mail'",
    "another change": "change = 'narrowed'",
    "no language": "language = ''",
    "no template": "template = ''",
    "half a digest": "wording_hash = '\\x00'",
}
