select p.id, p.name, p.ws
from (select distinct id, name, date_time - date_time % 10000 as ws from person) p
join (select distinct seller, date_time - date_time % 10000 as aws from auction) a
on p.id = a.seller and p.ws = a.aws
