"""Who a demonstration is entered as: its person, who has papers, its worker, and one of another
structure, who is the second to see somebody who lost everything."""

PHONE = "+33600000001"
WORKER_EMAIL = "camille.moreau@maison-des-solidarites.example"
PARTNER_EMAIL = "idrissa.fall@permanence-saint-roch.example"
