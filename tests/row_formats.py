"""The columns that the MACs of rows cover, in their order, at version 1 of each table's format."""

ROW_COLUMNS = {
    table: columns.split()
    for table, columns in {
        "access_event": "id at key_id person_tag actor_tag sealed commitment",
        "access_outcome": "event_id state",
        "anchor": "person_id id edition tag enrolled_at",
        "audit_key": "id owner_id year public_key",
        "browser": "id subject_kind subject_id secret_hash used_at",
        "card": (
            "id person_id code_tag secret_tag code_sealed public_key pin_sealed edition wrong"
            " sealed created_at used_at"
        ),
        "client": "id organisation_id client_id jwks scope active sealed created_at",
        "closing": "id ends_at announced_at cancelled_at",
        "closing_step": "id closing_id person_id worker_id step way done_at",
        "consent_evidence": (
            "id grant_id person_id change kind level channel language template template_hash"
            " wording_hash worker_id worker_tag heard_by heard_by_tag mandate_id at sealed"
        ),
        "consent_request": (
            "id requester_kind requester_id organisation_id phone_tag person_id sealed"
            " sender_sealed created_at lapses_at answer answered_at"
        ),
        "document": (
            "id person_id version_id type_tag typed_at deposited_by_kind deposited_by_id"
            " revision sealed created_at deleted_at"
        ),
        "document_version": ("id document_id person_id number content_tag scan sealed created_at"),
        "erased_vault": "mark erased_at",
        "erasure_code": "id person_id session_id code_tag created_at expires_at",
        "grant": (
            "id person_id request_id recipient_kind recipient_id organisation_id may_attest"
            " may_read may_deposit covers_future catalogue_edition type_tags document_ids"
            " given_at ends_at sealed"
        ),
        "idempotency": "key_hash request_hash result_id",
        "log_warning": "owner_id year at",
        "pending_erasure": "person_id asked_at erases_at reminded_at",
        "person": "id phone_tag email_tag language sealed created_at used_at",
        "meeting": (
            "id opened_by person_id worker_id code_tag sealed created_at answered_at"
            " person_agreed_at worker_agreed_at ended_at used_at"
        ),
        "mandate": (
            "id person_id worker_id language template template_hash scan_tag signed_at seen_at"
            " sealed"
        ),
        "person_label": "id worker_id person_id sealed",
        "pin": "person_id edition digits salt sealed set_at",
        "pin_step": "id kind secret_hash sealed created_at expires_at",
        "recovery": (
            "id waiting_id former_id code_tag stop_tag began_at complete_at earliest_at opens_at"
            " opened_at ended_at ended_by reminded_at sealed"
        ),
        "report": "id person_id event_id organisation_id sealed created_at answered_at",
        "session": "id token_hash subject_kind subject_id created_at expires_at sealed",
        "sign_in": (
            "id kind address_tag sealed created_at expires_at network_tag secret_hash code_id tries"
        ),
        "sign_in_code": "id address_tag lane digits code_tag created_at expires_at",
        "archive": (
            "id person_id kind attempt length pieces asked_at ready_at done_at expires_at sealed"
        ),
        "upload": "id person_id length received pieces refused sealed created_at expires_at",
        "vault_join": ("id person_id stays_id code_tag sealed created_at answered_at joined_at"),
        "representation": (
            "id person_id representative_id code_tag sealed created_at answered_at began_at ends_at"
            " ended_at"
        ),
        "trusted_person": (
            "id person_id trusted_id code_tag sealed created_at answered_at accepted_at ended_at"
        ),
        "worker": "id organisation_id email_tag active sealed created_at",
        "wrong_codes": "address_tag hour lane digits count",
    }.items()
}
