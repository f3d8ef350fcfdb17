"""Who a demonstration is entered as: its person, who has papers, and its worker."""

PHONE = "+33600000001"
WORKER_EMAIL = "camille.moreau@maison-des-solidarites.example"
